"""Keys differ in whatever takes part in them, follow NXP's own example, and are never shown."""

import pytest

from gateway.codecs.tag_keys import SiteKeys, TagKeys, diversify
from gateway.errors import SettingsError

MASTER = "00112233445566778899AABBCCDDEEFF"
OTHER = "0F1E2D3C4B5A69788796A5B4C3D2E1F0"
UID = bytes.fromhex("04782E21801D80")


def own(master: str = MASTER, site: str = "tower") -> SiteKeys:
    return TagKeys.parse(master).of_site(site)[0]


def test_diversification_gives_the_key_published_in_an10922() -> None:
    message = UID + bytes.fromhex("3042F5") + b"NXP Abu"
    assert diversify(bytes.fromhex(MASTER), message) == bytes.fromhex("A8DD63A3B89D54B37CA802473FDA9175")


@pytest.mark.parametrize("length", [0, 15, 32])
def test_a_message_that_an10922_would_pad_otherwise_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=f"{length} bytes"):
        diversify(bytes.fromhex(MASTER), bytes(length))


def test_every_key_is_another() -> None:
    keys = [
        *(own().file(UID, epoch) for epoch in (1, 2, 999_999_999)),
        own().file(bytes.fromhex("04782E21801D81"), 1),
        own().change(UID),
        own().meta,
        own(site="plant").file(UID, 1),
        own(site="plant").change(UID),
        own(site="plant").meta,
        own(OTHER).file(UID, 1),
        own(OTHER).change(UID),
        own(OTHER).meta,
    ]
    assert len(set(keys)) == len(keys)
    assert {len(key) for key in keys} == {16}


def test_keys_stay_what_they_are() -> None:
    """Tags out there were written with these; another derivation would make all of them forgeries."""
    assert own().meta.hex() == "177b3abef80f403748b4a4279b37acfc"
    assert own().file(UID, 1).hex() == "292abb822f53c8e9e54ae39fc91ecb0e"
    assert own().change(UID).hex() == "4ed6811e5d8f35c053258d9064f4fdf8"


def test_the_setting_holds_one_key_or_more() -> None:
    assert TagKeys.parse(MASTER).masters == (bytes.fromhex(MASTER),)
    assert TagKeys.parse(f"  {OTHER.lower()}\n {MASTER} {OTHER}").masters == (
        bytes.fromhex(OTHER),
        bytes.fromhex(MASTER),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no key"),
        ("  ", "no key"),
        (MASTER[:-1], "key 1 of 1 is not 32 hexadecimal characters .*31"),
        (f"{MASTER} {OTHER}0", "key 2 of 2 is not 32 hexadecimal characters .*33"),
        (f"{MASTER},{OTHER}", "key 1 of 1"),
        (f"{MASTER} {OTHER[:-1]}g", "key 2 of 2"),
        ("0" * 32, "key 1 of 1 is all zeros"),
    ],
)
def test_what_is_no_key_is_refused_without_being_told(text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=f"^FGW_TAG_KEY: {words}") as raised:
        TagKeys.parse(text)
    assert not any(part[4:28] in str(raised.value) for part in (MASTER, OTHER))


def test_no_text_shows_a_key() -> None:
    keys = TagKeys.parse(f"{MASTER} {OTHER}")
    shown = f"{keys} {keys!r} {keys.of_site('tower')} {keys.of_site('tower')[0]}"
    assert shown == "TagKeys(2 …) TagKeys(2 …) (SiteKeys(…), SiteKeys(…)) SiteKeys(…)"


def test_derived_keys_are_remembered_up_to_a_bound() -> None:
    keys = own()
    for number in range(5_000):
        keys.file(number.to_bytes(7, "big"), 1)
    info = diversify.cache_info()
    assert info.currsize == info.maxsize == 4_096
