"""Only what a tag of this site made is good, and whatever else comes has an answer."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.codecs.tag_keys import TagKeys
from gateway.codecs.tag_url import URL_LIMIT, TagReader
from gateway.core.values import Seal
from simulators.ntag import SimulatedTag

CI = settings(max_examples=300, deadline=None)
OLD, NEW = "00112233445566778899AABBCCDDEEFF", "0F1E2D3C4B5A69788796A5B4C3D2E1F0"
UID = "04A22B1C3D5E80"
BASE = "https://gateway.example/t"
FORMS: list[dict[str, Any]] = [
    {"form": "encrypted"},
    {"form": "enc"},
    {"form": "enc", "tamper": True},
    {"form": "plain"},
    {"form": "plain", "tamper": True},
]
READER = TagReader("tower", TagKeys.parse(OLD))

each_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: "+".join(map(str, form.values())))


def tag(
    *,
    uid: str = UID,
    epoch: int = 2,
    master: str = OLD,
    site: str = "tower",
    base: str = BASE,
    **how: Any,  # noqa: ANN401 - passed on
) -> SimulatedTag:
    keys = TagKeys.parse(master).of_site(site)[0]
    return SimulatedTag(uid, epoch, base, keys.meta, keys.file(bytes.fromhex(uid), epoch), **how)


def flips(url: str, name: str) -> Iterator[str]:
    """The address with one bit of one parameter changed, for each of its bits."""
    found = re.search(f"[?&]{name}=([0-9A-F]+)", url)
    assert found is not None
    value = bytes.fromhex(found[1])
    for bit in range(8 * len(value)):
        changed = (int.from_bytes(value, "big") ^ 1 << bit).to_bytes(len(value), "big")
        yield url[: found.start(1)] + changed.hex().upper() + url[found.end(1) :]


@each_form
def test_a_tap_is_good_and_tells_tag_counter_and_epoch(form: dict[str, Any]) -> None:
    seal = READER.read(tag(counter=40, **form).tap())
    assert (seal.verdict, seal.uid, seal.counter, seal.epoch) == ("good", UID, 41, 2)
    assert seal.tamper == ("closed" if "tamper" in form else None)
    assert seal.words.startswith(f"tag {UID}, tap 41")


def test_an_address_without_an_epoch_is_of_the_first() -> None:
    url = tag(epoch=1).tap()
    assert READER.read(url) == READER.read(url.replace("e=1&", ""))
    assert READER.read(url).verdict == "good"


@each_form
def test_one_bit_changed_anywhere_is_forged(form: dict[str, Any]) -> None:
    url = tag(counter=6, **form).tap()
    names = [name for name in ("picc", "enc", "uid", "ctr", "cmac") if f"{name}=" in url]
    changed = [other for name in names for other in flips(url, name)]
    assert len(changed) == sum(
        {"picc": 128, "enc": 128, "uid": 56, "ctr": 24, "cmac": 64}[name] for name in names
    )
    for other in changed:
        seal = READER.read(other)
        assert (seal.verdict, seal.counter, seal.tamper) == ("forged", None, None)


@pytest.mark.parametrize("state", ["OO", "OC", "II", "cc", "00"])
def test_a_plain_seal_told_otherwise_is_forged(state: str) -> None:
    url = tag(form="plain", tamper=True).tap()
    assert READER.read(url.replace("tt=CC", f"tt={state}")).verdict == "forged"
    assert READER.read(url.replace("&tt=CC", "")).verdict == "forged"


@each_form
def test_keys_of_another_site_master_epoch_or_tag_are_forged(form: dict[str, Any]) -> None:
    url = tag(**form).tap()
    forged = [
        tag(site="plant", **form).tap(),
        tag(master=NEW, **form).tap(),
        url.replace("e=2", "e=3"),
        url.replace("e=2&", ""),
        SimulatedTag(
            "04A22B1C3D5E81",
            2,
            BASE,
            TagKeys.parse(OLD).of_site("tower")[0].meta,
            TagKeys.parse(OLD).of_site("tower")[0].file(bytes.fromhex(UID), 2),
            **form,
        ).tap(),
    ]
    assert [READER.read(other).verdict for other in forged] == ["forged"] * 5
    assert READER.read(url).verdict == "good"


@each_form
def test_a_signature_of_another_tap_is_forged(form: dict[str, Any]) -> None:
    one = tag(**form)
    first, second = one.tap(), one.tap()
    assert READER.read(first[:-16] + second[-16:]).verdict == "forged"
    assert READER.read(second).counter == 2


def test_file_data_of_another_tap_is_forged() -> None:
    one = tag(form="enc", tamper=True)
    closed = one.tap()
    one.tear()
    torn = one.tap()
    start, end = torn.index("&enc="), torn.index("&cmac=")
    assert READER.read(torn[:start] + closed[start:end] + torn[end:]).verdict == "forged"


@each_form
def test_a_key_is_rotated_by_verifying_with_both(form: dict[str, Any]) -> None:
    both, old, new = TagReader("tower", TagKeys.parse(f"{NEW} {OLD}")), tag(**form), tag(master=NEW, **form)
    assert [both.read(old.tap()).verdict, both.read(new.tap()).verdict] == ["good", "good"]
    after = TagReader("tower", TagKeys.parse(NEW))
    assert [after.read(old.tap()).verdict, after.read(new.tap()).verdict] == ["forged", "good"]


@pytest.mark.parametrize("form", ["enc", "plain"])
def test_a_torn_seal_stays_open_when_it_is_closed_again(form: Any) -> None:  # noqa: ANN401 - a literal
    one = tag(form=form, tamper=True)
    seen = [READER.read(one.tap())]
    one.tear()
    seen.append(READER.read(one.tap()))
    one.mend()
    seen.append(READER.read(one.tap()))
    for state in ("CO", "II"):
        one.status = state
        seen.append(READER.read(one.tap()))
    assert [(seal.verdict, seal.tamper) for seal in seen] == [
        ("good", "closed"),
        ("good", "open"),
        ("good", "open"),
        ("good", "open"),
        ("good", "unknown"),
    ]
    assert [seal.words.partition("; ")[2] for seal in seen] == [
        "its seal is closed",
        "its seal is torn, now or once",
        "its seal is torn, now or once",
        "its seal is torn, now or once",
        "its seal is unknown: never set up",
    ]


def test_lrp_is_refused_by_name_with_and_without_keys() -> None:
    url = f"{BASE}?e=4&picc={'07' * 24}&cmac={'AB' * 8}"
    for reader in (READER, TagReader("tower", None)):
        seal = reader.read(url)
        assert (seal.verdict, seal.epoch, seal.uid) == ("lrp", 4, None)
        assert "LRP" in seal.words


def test_without_keys_nothing_is_known_but_what_is_malformed() -> None:
    keyless = TagReader("tower", None)
    assert keyless.read("https://gateway.example/t").verdict == "malformed_url"
    secret = keyless.read(tag(epoch=3).tap())
    assert secret == Seal("no_key", epoch=3, words="the gateway has no tag key to verify it with")
    plain = keyless.read(tag(form="plain").tap())
    assert (plain.verdict, plain.uid, plain.counter) == ("no_key", None, None)
    assert plain.words.endswith(f"it claims to be tag {UID}")


def test_a_forged_plain_address_tells_the_claimed_tag_in_words_only() -> None:
    seal = READER.read(f"{BASE}?uid={UID.lower()}&ctr=000102&cmac={'AB' * 8}")
    assert seal == Seal("forged", UID, words=f"wrong signature; it claims to be tag {UID}, tap 258, epoch 1")


def test_lower_case_is_forged_where_the_text_is_signed_and_the_words_say_why() -> None:
    for form in ("enc", "plain"):
        url = tag(form=form, tamper=True).tap()
        seal = READER.read(BASE + url.removeprefix(BASE).lower())
        assert seal.verdict == "forged"
        assert "lower case" in seal.words
    assert READER.read(tag().tap().lower()) == READER.read(tag().tap())


@pytest.mark.parametrize("start", ["47", "87", "07", "C0", "F7"])
def test_an_identity_that_is_not_uid_and_counter_is_forged(start: str) -> None:
    """A tag set to mirror only one of them, signed with the right keys all the same."""
    one = tag()
    url = one.tap()
    plain = bytes.fromhex(start) + one._identity() + bytes(5)
    cipher = Cipher(AES(one._meta_key), CBC(bytes(16))).encryptor()
    picc = cipher.update(plain).hex().upper()
    seal = READER.read(re.sub("picc=[0-9A-F]+", f"picc={picc}", url))
    assert seal.verdict == "forged"
    assert "mirror" in seal.words


def test_the_template_itself_is_forged_and_the_words_say_why() -> None:
    seal = READER.read(f"{BASE}?e=1&picc={'0' * 32}&cmac={'0' * 16}")
    assert seal.verdict == "forged"
    assert "not switched on" in seal.words


GOOD = tag().tap()
PICC, CMAC = GOOD[GOOD.index("picc=") + 5 :][:32], GOOD[-16:]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "does not begin with https://"),
        (GOOD.replace("https", "http"), "does not begin with https://"),
        ("https://?" + GOOD.partition("?")[2], "no host"),
        (BASE, "no parameters"),
        (f"{BASE}?", "no tag of this gateway writes"),
        (f"{BASE}/{'x' * URL_LIMIT}?" + GOOD.partition("?")[2], "at the most"),
        (GOOD + "#top", "fragment"),
        (GOOD + "#", "fragment"),
        (GOOD.replace("&cmac", "%26cmac"), "percent-encoding"),
        (GOOD + " ", "a space"),
        (GOOD + "\n", "a space"),
        (GOOD.replace("gateway", "gätewäy"), "outside ASCII"),
        (GOOD.replace(PICC[:1], "\N{FULLWIDTH DIGIT ONE}"), "outside ASCII"),
        (GOOD + f"&cmac={CMAC}", "cmac more than once"),
        (GOOD.replace("e=2", "e=2&e=2"), "e more than once"),
        (GOOD + "&utm_source=x", "no tag of this gateway writes"),
        (GOOD.replace("cmac", "CMAC"), "no tag of this gateway writes"),
        (f"{BASE}?e=2&cmac={CMAC}&picc={PICC}", "in this order"),
        (f"{BASE}?picc={PICC}&e=2&cmac={CMAC}", "in this order"),
        (f"{BASE}?picc={PICC}&tt=CC&cmac={CMAC}", "in this order"),
        (f"{BASE}?uid={UID}&cmac={CMAC}", "in this order"),
        (f"{BASE}?uid={UID}&ctr=000001&enc={PICC}&cmac={CMAC}", "in this order"),
        (GOOD.replace("e=2", "e=0"), "in this order"),
        (GOOD.replace("e=2", "e=02"), "in this order"),
        (GOOD.replace("e=2", "e=1000000000"), "in this order"),
        (GOOD.replace("e=2", "e="), "in this order"),
        (GOOD[:-1], "in this order"),
        (GOOD.replace(PICC, PICC + "00"), "in this order"),
        (GOOD.replace(PICC, PICC[:-1] + "G"), "in this order"),
        (GOOD.replace("&cmac", "&enc=&cmac"), "in this order"),
        (GOOD.replace("&cmac", f"&enc={PICC}00&cmac"), "in this order"),
    ],
)
def test_what_no_tag_writes_is_malformed_and_the_words_say_why(url: str, words: str) -> None:
    seal = READER.read(url)
    assert (seal.verdict, seal.uid, seal.counter, seal.epoch) == ("malformed_url", None, None, 1)
    assert words in seal.words


def test_longest_and_oddest_good_addresses() -> None:
    query = "?" + GOOD.partition("?")[2]
    longest = "https://" + "x" * (URL_LIMIT - 8 - len(query)) + query
    assert READER.read(longest).verdict == "good"
    assert READER.read(longest.replace("//", "//x")).verdict == "malformed_url"
    assert READER.read("HTTPS://[::1]:8480/a&b=c/t" + query).verdict == "good"


HEX = st.text("0123456789ABCDEFabcdef", max_size=66)
PARAMETER = st.builds("{}={}".format, st.sampled_from(["e", "picc", "enc", "uid", "ctr", "tt", "cmac"]), HEX)
QUERIES = st.lists(PARAMETER, max_size=5).map("&".join)


@CI
@given(st.one_of(st.text(), QUERIES.map(f"{BASE}?".__add__), st.text().map(f"{GOOD[:-3]}".__add__)))
@example("https://\ud800?picc=")
@example("https://[?")
@example("https://x?" + "&" * 400)
@example("\x00" * 600)
def test_reading_never_raises(url: str) -> None:
    for reader in (READER, TagReader("tower", None)):
        seal = reader.read(url)
        assert seal.verdict in {"forged", "lrp", "malformed_url", "no_key"}
        assert seal.words


def digits(count: int) -> st.SearchStrategy[str]:
    return st.binary(min_size=count, max_size=count).map(lambda raw: raw.hex().upper())


ENC = st.integers(1, 3).flatmap(lambda blocks: digits(16 * blocks))
MADE_UP = st.one_of(
    st.builds("picc={}&cmac={}".format, digits(16), digits(8)),
    st.builds("picc={}&enc={}&cmac={}".format, digits(16), ENC, digits(8)),
    st.builds("uid={}&ctr={}&cmac={}".format, digits(7), digits(3), digits(8)),
    st.builds(
        "uid={}&ctr={}&tt={}&cmac={}".format,
        digits(7),
        digits(3),
        st.sampled_from(["CC", "OO"]),
        digits(8),
    ),
)


@CI
@given(MADE_UP)
def test_a_made_up_address_is_forged(query: str) -> None:
    assert READER.read(f"{BASE}?{query}").verdict == "forged"


@CI
@given(data=st.data(), form=st.sampled_from(FORMS), counter=st.integers(0, 0xFFFFFE))
def test_an_address_changed_in_one_character_is_not_good(
    data: st.DataObject, form: dict[str, Any], counter: int
) -> None:
    url = tag(counter=counter, **form).tap()
    place = data.draw(st.integers(len(BASE) + 1, len(url) - 1))
    character = data.draw(st.one_of(st.sampled_from("0123456789ABCDEF&=cCO?"), st.characters()))
    changed = url[:place] + character + url[place + 1 :]
    seal = READER.read(changed)
    if seal.verdict == "good":  # the case of a hexadecimal digit is no change where it is not signed
        assert changed.upper() == url.upper()
        assert seal == READER.read(url)
