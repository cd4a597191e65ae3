"""The vectors NXP publishes in AN12196: all keys are 16 zero bytes."""

import pytest

from gateway.codecs.sun import (
    Picc,
    decrypt_file_data,
    decrypt_picc,
    encryption_session_key,
    mac_fits,
    mac_session_key,
    plain_picc,
    sun_mac,
)

ZERO = bytes(16)
FIRST = Picc(bytes.fromhex("04DE5F1EACC040"), 61)
SECOND = Picc(bytes.fromhex("04958CAA5C5E80"), 8)
THIRD = Picc(bytes.fromhex("04958CAA5C5E80"), 1)
SECOND_TEXT = b"CEE9A53E3E463EF1F459635736738962&cmac="
THIRD_DATA = "94592FDE69FA06E8E3B6CA686A22842B"


@pytest.mark.parametrize(
    ("picc", "expected"),
    [
        ("EF963FF7828658A599F3041510671E88", FIRST),
        ("FD91EC264309878BE6345CBE53BADF40", SECOND),
        ("FDE4AFA99B5C820A2C1BB0F1C792D0EB", THIRD),
    ],
)
def test_the_identity_is_decrypted(picc: str, expected: Picc) -> None:
    assert decrypt_picc(ZERO, bytes.fromhex(picc)) == expected


@pytest.mark.parametrize(
    ("picc", "text", "mac"),
    [
        (FIRST, b"", "94EED9EE65337086"),
        (SECOND, SECOND_TEXT, "ECC1E7F6C6C73BF6"),
        (THIRD, THIRD_DATA.encode() + b"&cmac=", "C48B89C17A233B2C"),
        (plain_picc("041E3C8A2D6B80", "000006"), b"", "4B00064004B0B3D3"),
    ],
)
def test_the_mac_is_the_published_one(picc: Picc, text: bytes, mac: str) -> None:
    assert sun_mac(ZERO, picc, text).hex().upper() == mac
    assert mac_fits(ZERO, picc, text, bytes.fromhex(mac))


def test_the_published_wrong_mac_fails() -> None:
    assert not mac_fits(ZERO, SECOND, SECOND_TEXT, bytes.fromhex("3CC1E7F6C6C33B33"))


def test_session_keys_are_the_published_ones() -> None:
    assert mac_session_key(ZERO, FIRST) == bytes.fromhex("3FB5F6E3A807A03D5E3570ACE393776F")
    assert encryption_session_key(ZERO, SECOND) == bytes.fromhex("42132D669442AD43E072C8C0C9828A72")


@pytest.mark.parametrize(
    ("picc", "data"), [(SECOND, "CEE9A53E3E463EF1F459635736738962"), (THIRD, THIRD_DATA)]
)
def test_file_data_is_decrypted(picc: Picc, data: str) -> None:
    assert decrypt_file_data(ZERO, picc, bytes.fromhex(data)) == b"x" * 16


def test_a_plain_counter_is_most_significant_first_and_reversed_for_the_keys() -> None:
    picc = plain_picc("041E3C8A2D6B80", "0102FF")
    assert picc == (bytes.fromhex("041E3C8A2D6B80"), 0x0102FF)
    assert picc.context == bytes.fromhex("041E3C8A2D6B80FF0201")


def test_a_full_mac_or_a_wrong_length_fails() -> None:
    assert not mac_fits(ZERO, FIRST, b"", bytes.fromhex("94EED9EE6533708600"))
    assert not mac_fits(ZERO, FIRST, b"", b"")


def test_another_key_reads_no_identity() -> None:
    assert decrypt_picc(bytes(15) + b"\1", bytes.fromhex("EF963FF7828658A599F3041510671E88")) is None
