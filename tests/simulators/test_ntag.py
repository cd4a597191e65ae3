"""A simulated tag writes what NXP's own tags write, and the gateway reads it."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.codecs.sun import LRP_PICC_LENGTH, decrypt_picc
from gateway.codecs.tag_keys import TagKeys
from gateway.codecs.tag_url import TagReader
from simulators.errors import SimulationError
from simulators.ntag import LAST_TAP, SimulatedTag

ZERO = bytes(16)
BASE = "https://gateway.example/t"
KEYS = TagKeys.parse("00112233445566778899AABBCCDDEEFF")
READER = TagReader("tower", KEYS)
FORMS: list[dict[str, Any]] = [
    {"form": "encrypted"},
    {"form": "enc"},
    {"form": "enc", "tamper": True},
    {"form": "plain"},
    {"form": "plain", "tamper": True},
]


def tag(uid: str = "04A22B1C3D5E80", epoch: int = 1, **how: Any) -> SimulatedTag:  # noqa: ANN401 - passed on
    own = KEYS.of_site("tower")[0]
    return SimulatedTag(uid, epoch, BASE, own.meta, own.file(bytes.fromhex(uid), epoch), **how)


def test_signatures_are_the_published_ones() -> None:
    encrypted = SimulatedTag("04DE5F1EACC040", 1, BASE, ZERO, ZERO, counter=60)
    assert encrypted.tap().endswith("&cmac=94EED9EE65337086")
    plain = SimulatedTag("041E3C8A2D6B80", 1, BASE, ZERO, ZERO, form="plain", counter=5)
    assert plain.tap() == f"{BASE}?e=1&uid=041E3C8A2D6B80&ctr=000006&cmac=4B00064004B0B3D3"


def test_file_data_is_encrypted_as_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulators.ntag.FILE_DATA", b"x" * 16)
    one = SimulatedTag("04958CAA5C5E80", 1, BASE, ZERO, ZERO, form="enc", counter=7)
    assert one.tap().endswith("&enc=CEE9A53E3E463EF1F459635736738962&cmac=ECC1E7F6C6C73BF6")
    again = SimulatedTag("04958CAA5C5E80", 1, BASE, ZERO, ZERO, form="enc")
    assert again.tap().endswith("&enc=94592FDE69FA06E8E3B6CA686A22842B&cmac=C48B89C17A233B2C")


@settings(max_examples=200, deadline=None)
@given(
    uid=st.binary(min_size=7, max_size=7).map(lambda raw: raw.hex().upper()),
    epoch=st.integers(1, 999_999_999),
    form=st.sampled_from(FORMS),
    counter=st.one_of(
        st.integers(0, LAST_TAP - 3), st.sampled_from([0, 0xFE, 0xFF, 0xFFFE, 0xFFFF, LAST_TAP - 3])
    ),
    seed=st.integers(),
)
@example(uid="00000000000000", epoch=1, form=FORMS[0], counter=LAST_TAP - 3, seed=0)
def test_the_gateway_reads_every_tap(
    uid: str, epoch: int, form: dict[str, Any], counter: int, seed: int
) -> None:
    one = tag(uid, epoch, counter=counter, seed=seed, **form)
    seals = [READER.read(one.tap()) for _ in range(3)]
    assert [(seal.verdict, seal.uid, seal.counter, seal.epoch) for seal in seals] == [
        ("good", uid, counter + step, epoch) for step in (1, 2, 3)
    ]


def test_a_thousand_taps_count_up_one_by_one_and_never_look_alike() -> None:
    one = tag(counter=0xFF00)
    urls = [one.tap() for _ in range(1_000)]
    counters = [READER.read(url).counter for url in urls]
    assert counters == list(range(0xFF01, 0xFF01 + 1_000))
    assert all(first[:80] != second[:80] for first, second in pairwise(urls))
    assert len(set(urls)) == 1_000


@pytest.mark.parametrize("form", FORMS)
def test_after_the_last_tap_there_is_none(form: dict[str, Any]) -> None:
    one = tag(counter=LAST_TAP - 1, **form)
    assert READER.read(one.tap()).counter == LAST_TAP
    with pytest.raises(SimulationError, match="last tap"):
        one.tap()


def test_the_same_seed_gives_the_same_addresses_and_another_other_padding() -> None:
    first, same, other = tag(seed=1), tag(seed=1), tag(seed=2)
    urls = [first.tap() for _ in range(5)]
    assert [same.tap() for _ in range(5)] == urls
    assert not set(urls) & {other.tap() for _ in range(5)}


def test_its_identity_has_the_length_of_aes_mode() -> None:
    picc = bytes.fromhex(tag().tap().partition("picc=")[2].partition("&")[0])
    assert len(picc) < LRP_PICC_LENGTH
    assert decrypt_picc(KEYS.of_site("tower")[0].meta, picc) == (bytes.fromhex("04A22B1C3D5E80"), 1)


def test_a_state_has_no_place_in_an_encrypted_identity() -> None:
    with pytest.raises(SimulationError, match="enc or plain"):
        tag(tamper=True)
