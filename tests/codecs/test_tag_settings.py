"""The settings put into a simulated tag's hands give addresses that are good here."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.codecs.sun import Picc, sun_mac
from gateway.codecs.tag_keys import TagKeys
from gateway.codecs.tag_settings import FILE_SIZE, TagSettings, tag_settings
from gateway.codecs.tag_url import TagReader
from gateway.errors import SettingsError
from simulators.ntag import SimulatedTag

KEYS = TagKeys.parse("00112233445566778899AABBCCDDEEFF 0F1E2D3C4B5A69788796A5B4C3D2E1F0")
READER = TagReader("tower", KEYS)
UID = "04A22B1C3D5E80"
BASE = "https://gateway.example"


def settings_of(base: str = BASE, epoch: int = 2, uid: str = UID, *, tamper: bool = False) -> TagSettings:
    return tag_settings(KEYS, "tower", uid, epoch, base, tamper=tamper)


def address(file: bytes) -> str:
    """What a phone makes of an NDEF file with one short URI record."""
    length = int.from_bytes(file[:2], "big")
    assert file[2:4] == b"\xd1\x01"
    assert file[5:7] == b"U\x04"
    assert file[4] + 4 == length == len(file) - 2
    return "https://" + file[7:].decode("ascii")


def mirrored(written: TagSettings) -> bytes:
    """The file as the tag shows it at its fifth tap: its own data put at the offsets, and nowhere else."""
    keys = [bytes.fromhex(written.keys[number]) for number in (0, 1, 2)]
    tag = SimulatedTag(
        written.uid, 9, "x", keys[1], keys[2], form="enc" if written.tt_offset else "encrypted",
        tamper=written.tt_offset is not None, counter=4,
    )  # fmt: skip
    values = dict(re.findall("(picc|enc|cmac)=([0-9A-F]+)", tag.tap()))
    file = bytearray.fromhex(written.ndef)
    assert file[written.picc_offset : written.picc_offset + 32] == b"0" * 32
    file[written.picc_offset : written.picc_offset + 32] = values["picc"].encode()
    if written.enc_offset is not None and written.enc_length is not None:
        file[written.enc_offset : written.enc_offset + written.enc_length] = values["enc"].encode()
    signed = bytes(file[written.mac_input_offset : written.mac_offset])
    mac = sun_mac(keys[2], Picc(bytes.fromhex(written.uid), 5), signed).hex().upper()
    file[written.mac_offset : written.mac_offset + 16] = mac.encode()
    return bytes(file)


@settings(max_examples=60, deadline=None)
@given(
    host=st.from_regex(r"[a-z]{1,40}(\.[a-z]{2,5}){1,3}(:8443)?(/[a-z]{1,9}){0,2}/?", fullmatch=True),
    epoch=st.integers(1, 65_535),
    tamper=st.booleans(),
)
def test_what_a_tag_shows_with_these_settings_is_good(host: str, epoch: int, tamper: bool) -> None:
    written = settings_of(f"https://{host}", epoch, tamper=tamper)
    assert address(bytes.fromhex(written.ndef)) == written.url
    seal = READER.read(address(mirrored(written)))
    assert (seal.verdict, seal.uid, seal.counter, seal.epoch) == ("good", UID, 5, epoch)
    assert seal.tamper == ("closed" if tamper else None)


def test_the_settings_of_a_tag() -> None:
    written = settings_of()
    assert written.url == f"https://gateway.example/t?e=2&picc={'0' * 32}&cmac={'0' * 16}"
    assert written.ndef.startswith("0056D101525504" + b"gateway.example/t?e=2&picc=0".hex().upper())
    assert (written.picc_offset, written.mac_input_offset, written.mac_offset) == (34, 72, 72)
    assert (written.enc_offset, written.enc_length, written.tt_offset) == (None, None, None)
    assert written.sdm_options == 0xC1
    assert written.change_file_settings == "4000E0C1FF12220000480000480000"
    own = KEYS.of_site("tower")[0]
    uid = bytes.fromhex(UID)
    assert written.keys == {
        0: own.change(uid).hex().upper(),
        1: own.meta.hex().upper(),
        2: own.file(uid, 2).hex().upper(),
    }


def test_a_tagtamper_mirrors_its_state_at_the_beginning_of_encrypted_file_data() -> None:
    written = settings_of(tamper=True)
    assert written.url == f"https://gateway.example/t?e=2&picc={'0' * 32}&enc={'0' * 32}&cmac={'0' * 16}"
    assert (written.tt_offset, written.mac_input_offset, written.enc_offset, written.enc_length) == (
        71,
        71,
        71,
        32,
    )
    assert written.mac_offset == 109
    assert written.sdm_options == 0xD9
    assert written.change_file_settings == "4000E0D9FF12" + "220000" + "470000" * 3 + "200000" + "6D0000"


def test_the_offsets_are_those_of_the_published_example() -> None:
    """AN12196: identity at 0x20, MAC at 0x43 for ``choose.url.com/ntag424?e=…&c=…``; ours names them longer."""
    published = "choose.url.com/ntag424?e=" + "0" * 32 + "&c=" + "0" * 16
    assert 7 + published.index("0" * 32) == 0x20
    assert 7 + published.rindex("0" * 16) == 0x43
    written = settings_of("https://choose.url.com")
    rest = written.url.removeprefix("https://")
    assert written.picc_offset == 7 + rest.index("0" * 32)
    assert written.mac_offset == 7 + rest.rindex("0" * 16)


@pytest.mark.parametrize("base", [BASE, f"{BASE}/", f"{BASE}/t", f"{BASE}/t/"])
def test_the_path_is_added_once(base: str) -> None:
    assert settings_of(base) == settings_of()


def test_a_uid_is_taken_as_people_write_it() -> None:
    assert settings_of(uid="04:a2:2b:1c 3d-5e-80") == settings_of()


def test_no_key_is_shown() -> None:
    written = settings_of()
    assert not any(key in repr(written).upper() for key in written.keys.values())


def test_keys_are_written_under_the_first_master_key() -> None:
    first = TagKeys(KEYS.masters[:1])
    assert tag_settings(first, "tower", UID, 2, BASE).keys == settings_of().keys
    assert tag_settings(KEYS, "plant", UID, 2, BASE).keys[1] != settings_of().keys[1]


@pytest.mark.parametrize("tamper", [False, True])
def test_the_longest_address_fills_the_tag(tamper: bool) -> None:
    rest = FILE_SIZE - len(bytes.fromhex(settings_of("https://a.b", tamper=tamper).ndef))
    longest = "https://" + "a" * (rest + 1) + ".b"
    written = settings_of(longest, tamper=tamper)
    assert len(bytes.fromhex(written.ndef)) == FILE_SIZE
    assert address(bytes.fromhex(written.ndef)) == written.url
    with pytest.raises(SettingsError, match="1 characters too long"):
        settings_of(longest.replace("a.b", "aa.b"), tamper=tamper)


@pytest.mark.parametrize(
    ("base", "uid", "epoch", "words"),
    [
        ("http://gateway.example", UID, 1, "base_url: .*https://host"),
        ("gateway.example", UID, 1, "base_url: .*https://host"),
        ("https://", UID, 1, "base_url: .*https://host"),
        ("https://gateway example", UID, 1, "base_url: .*ASCII"),
        ("https://门岗.example", UID, 1, "base_url: .*ASCII"),
        ("https://gateway.example/t?x=1", UID, 1, "base_url: .*only host, port and path"),
        ("https://gateway.example/#", UID, 1, "base_url: .*only host, port and path"),
        ("https://a@gateway.example", UID, 1, "base_url: .*only host, port and path"),
        ("https:///t", UID, 1, "base_url: .*no host"),
        ("https://gateway.example:99999", UID, 1, "base_url: .*a port that cannot be"),
        ("https://gateway.example:x", UID, 1, "base_url: .*a port that cannot be"),
        ("https://[::1", UID, 1, "base_url: .*no host"),
        (BASE, "04A22B1C3D5E", 1, "uid: "),
        (BASE, "04A22B1C3D5EXX", 1, "uid: "),
        (BASE, "", 1, "uid: "),
        (BASE, UID, 0, "epoch: 0 is not between 1"),
        (BASE, UID, 1_000_000_000, "epoch: "),
    ],
)
def test_what_cannot_be_written_is_refused_by_name(base: str, uid: str, epoch: int, words: str) -> None:
    with pytest.raises(SettingsError, match=f"^{words}"):
        settings_of(base, epoch, uid)
