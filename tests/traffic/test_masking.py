import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codecs.decoder import Decoder
from gateway.codecs.tag_keys import TagKeys
from gateway.codecs.tag_url import TagReader
from gateway.core.inputs import Command, Event, Fact, Rejection, Tap, Tick
from gateway.core.persons import is_same
from gateway.core.plan import SitePlan
from gateway.core.values import Message, Millis, Seal
from gateway.traffic import Setup, TrafficInput
from gateway.traffic.lines import text_of
from gateway.traffic.masking import Mask
from gateway.traffic.personal import is_telling
from gateway.traffic.scraps import replace_values
from simulators.ntag import SimulatedTag
from tests.codecs.test_samples import samples
from tests.simulators.sites import the_house, the_patrols

AT: Millis = 1_790_000_000_000
KEY = b"k" * 32
GATE, READER, PANEL = (f"facility/house/{name}" for name in ("gate-1/event", "reader-1/tap", "fire-1/event"))
NATIVE = [
    f"facility/house/{device}/{channel}"
    for device in ("gate-1", "reader-1", "fire-1", "lift-1", "nobody")
    for channel in ("telemetry", "event", "status", "tap")
]
NAMES = st.sampled_from(
    [
        "ts", "id", "type", "device", "site", "values", "credential", "name", "guard", "operator", "direction", "reason",
        "test", "tag", "url", "code", "how", "sent", "queued", "zone", "door", "passages", "supply_voltage", "email",
    ]
)  # fmt: skip
WORDS = st.sampled_from(
    [
        "granted", "denied", "duress", "alarm", "sos", "in", "out", "open", "online", "gate-1", "house", "", " ", "g-1",
        "x" * 33, "x" * 64, "x" * 65, "x" * 1024, "x" * 1025, "a\x01b", "a\x7f", "\ud800", "a\udfff" * 20, "Jürgen",
        "https://h/t?picc=00112233445566778899aabbccddeeff&cmac=0011223344556677", "?cmac=é", "https://h/t?uid=1&cmac=ZZ",
    ]
)  # fmt: skip
NUMBERS = st.one_of(
    st.integers(),
    st.sampled_from([AT, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 2**70, 10**400]),
    st.floats(),
    st.sampled_from([2.0**53, 1e300, 3.0, -0.0]),
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=8)
EVENTS = st.builds(
    lambda kind, rest: {**rest, "type": kind},
    st.sampled_from(["granted", "denied", "muster", "alarm", "sos", "fall", "tap", "unheard-of"]),
    OBJECTS,
)
PAYLOADS = st.one_of(
    st.one_of(EVENTS, OBJECTS, VALUES, st.lists(EVENTS | OBJECTS, max_size=3)).map(
        lambda body: json.dumps(body).encode()
    ),
    st.binary(max_size=20),
)
SECRETS = st.text("qxyz", min_size=8, max_size=20).map(lambda text: f"Q{text}")
CARDS = st.integers(10**11, 10**15)
"""Longer than any number that stands in, so that none can hold it."""


def masked(payload: bytes, topic: str = GATE, **how: bool) -> bytes:
    found = Mask(the_house(), KEY, **how).line(AT, Message(topic, payload))
    assert isinstance(found, Message)
    return found.payload


def masked_json(body: object, topic: str = GATE, **how: bool) -> Any:  # noqa: ANN401 - whatever the JSON is
    return json.loads(masked(json.dumps(body).encode(), topic, **how))


def core_of(facts: Sequence[Fact], plan: SitePlan) -> list[object]:
    """Facts without the texts that may be masked."""
    return [_core(fact, plan) for fact in facts]


def _core(fact: Fact, plan: SitePlan) -> object:
    match fact:
        case Event():
            declared = plan.devices[fact.device].kind.events[fact.type].attributes
            told = {
                name: type(value) if declared[name].personal else value
                for name, value in fact.attributes.items()
            }
            key = fact.key.partition("@")[0] if fact.key.startswith(f"{fact.type}@") else fact.key
            return (fact.device, fact.ts, fact.type, key, told)
        case Tap():
            return msgspec.structs.replace(fact, guard=fact.guard and "g", url=fact.url and "u")
        case Rejection():
            return (fact.device, fact.reason)
    return fact


@given(st.sampled_from(NATIVE), PAYLOADS)
def test_a_masked_message_decodes_to_the_same_facts(topic: str, payload: bytes) -> None:
    plan = the_house()
    decoder = Decoder(plan)
    before = decoder.decode(Message(topic, payload), AT)
    after = decoder.decode(Message(topic, masked(payload, topic)), AT)
    assert core_of(after, plan) == core_of(before, plan)


@pytest.mark.parametrize(("profile", "sample"), samples())
def test_every_sample_decodes_to_the_same_facts(profile: Any, sample: Any) -> None:  # noqa: ANN401 - parsed
    plan = the_house()
    names = {
        "access_gate": "gate-1",
        "elevator": "lift-1",
        "fire_panel": "fire-1",
        "patrol_reader": "reader-1",
    }
    topic = f"facility/house/{names[profile['profile']]}/{sample['topic']}"
    payload = str(sample.get("payload", "")).replace(profile["device"], names[profile["profile"]]).encode()
    decoder, at = Decoder(plan), profile["received"]
    before = decoder.decode(Message(topic, payload), at)
    assert core_of(decoder.decode(Message(topic, masked(payload, topic)), at), plan) == core_of(before, plan)


@given(
    st.sampled_from(["granted", "denied", "muster", "unheard-of"]),
    st.dictionaries(
        st.sampled_from(["credential", "name", "card_no", "userEmail"]), SECRETS | CARDS, min_size=1
    ),
    st.lists(SECRETS, max_size=2),
    st.integers(0, 200),
    st.booleans(),
)
def test_no_personal_value_is_left_anywhere_in_the_line(
    kind: str, secret: dict[str, str | int], nested: list[str], cut: int, many: bool
) -> None:
    body = {"type": kind, "ts": AT, **secret, "extra": [{"phone": nested}, {"a": {"PIN": [nested]}}]}
    payload = json.dumps([body] if many else body).encode()
    for given_payload in (payload, payload[: len(payload) - cut], payload + b"}", b"\xff" + payload):
        for plan in (the_house(), None):
            line = text_of(AT, Mask(plan, KEY).line(AT, Message(GATE, given_payload)))
            for value in (*secret.values(), *(nested if given_payload == payload else ())):
                assert str(value).encode() not in line


@given(st.lists(SECRETS | CARDS, min_size=2, max_size=6))
def test_who_is_the_same_stays_the_same_and_others_stay_others(values: list[str | int]) -> None:
    found = [masked_json({"type": "granted", "credential": value})["credential"] for value in values]
    for one, its in zip(values, found, strict=True):
        assert type(its) is type(one)
        assert its != one
        for other, others in zip(values, found, strict=True):
            assert (one == other) == (its == others)


@given(SECRETS | CARDS)
def test_another_recording_has_other_stand_ins(value: str | int) -> None:
    message = Message(GATE, json.dumps({"type": "granted", "credential": value}).encode())
    first, again, other = (Mask(the_house(), key).line(AT, message) for key in (KEY, KEY, b"l" * 32))
    assert first == again != other


def test_stand_ins_say_what_they_are() -> None:
    found = masked_json(
        {"type": "granted", "credential": "0815", "name": "王芳", "direction": "in", "test": False}
    )
    assert found["credential"].startswith("masked-")
    assert len(found["credential"]) == len("masked-3f9a1c22e0")
    assert found["name"] != found["credential"]
    assert (found["direction"], found["test"], found["type"]) == ("in", False, "granted")


def test_what_the_profile_says_goes_before_the_name() -> None:
    assert masked_json({"type": "manual_call", "operator": "Anna"}, PANEL)["operator"] != "Anna"
    readings = {"values": {"door": "open", "passages": 3, "card": "4711"}}
    found = masked_json(readings, "facility/house/gate-1/telemetry")
    assert (found["values"]["door"], found["values"]["passages"]) == ("open", 3)
    assert found["values"]["card"].startswith("masked-")


@pytest.mark.parametrize(
    "payload",
    [
        b"online",
        b"",
        b'{ "type" : "granted" , "direction":"in", "x": 1.10 }',
        b"\xff\xfe\x00",
        b'{"type":"granted","name":"","credential":null}',
        b'name: "Anna"',
        b"[" * 100_000,
        b'"' * 50_000,
        b'\\"' * 50_000,
    ],
)
def test_bytes_with_nothing_personal_stay_as_they_are(payload: bytes) -> None:
    assert masked(payload) == payload


def test_a_name_that_stands_twice_is_not_left_the_first_time() -> None:
    payload = b'{"type":"granted","name":"Anna Huber","name":""}'
    assert b"Anna" not in masked(payload)
    assert b"Anna" not in masked(b'{"type":"granted","name":"Anna Huber","name":NaN}')


def test_an_object_that_was_cut_off_names_nobody() -> None:
    payload = '{"type":"granted","credential":12345678901,"x":1,"name":"Jürgen Hub'.encode()
    found = masked(payload)
    assert b"rgen" not in found
    assert b"12345678901" not in found
    assert found.startswith(b'{"type":"granted","credential":')
    assert b'"x":1,' in found


@given(st.text('"\\\\:,[]{} ab1\\n', max_size=30) | st.text())
def test_text_of_any_kind_stays_but_for_the_values_that_are_meant(text: str) -> None:
    assert replace_values(text, lambda _: False, lambda _: "") == text
    assert replace_values(text, lambda _: True, lambda value: value) == text


@given(st.dictionaries(st.sampled_from(["a", "b"]), VALUES, max_size=2))
def test_a_value_is_replaced_with_all_that_is_in_it(body: dict[str, object]) -> None:
    text = json.dumps(body)
    found = json.loads(replace_values(text, lambda name: name == "a", lambda _: "0"))
    assert repr(found.get("b")) == repr(json.loads(text).get("b"))
    if "a" in body:
        assert set(re.findall(r"[0-9a-zA-Z.]+", re.sub(r'"[^"]*":', "", json.dumps(found["a"])))) <= {"0"}


def test_names_that_read_alike_stay_one_person() -> None:
    mask = Mask(None, KEY)
    anna, upper = (mask.line(AT, command("alert.ack", actor=name)) for name in ("Anna", "ANNA\u200b"))
    assert isinstance(anna, Command)
    assert isinstance(upper, Command)
    assert is_same(anna.actor, upper.actor)
    assert anna.actor.startswith("masked-")


@pytest.mark.parametrize(
    ("name", "telling"),
    [
        ("name", True), ("card_no", True), ("cardNumber", True), ("PIN", True), ("userPIN", True), ("Emails", True),
        ("phone-2", True), ("access token", True), ("spinning", False), ("hostname", False), ("discard", False),
        ("temperature", False), ("", False),
    ],
)  # fmt: skip
def test_fields_that_are_named_like_something_personal(name: str, telling: bool) -> None:
    assert is_telling(name) == telling


# --- patrol ----------------------------------------------------------------------------------------------------


def tap(**given: Any) -> Tap:  # noqa: ANN401 - fields of a tap
    return Tap(**{"at": AT, "id": "1", "source": "phone-of-anna", "ts": AT, "tag": "04A2", **given})


def command(verb: str, actor: str = "g-01", target: str = "x", **args: Any) -> Command:  # noqa: ANN401 - arguments
    return Command(at=AT, id="c", actor=actor, verb=verb, target=target, args=args)


def line(one: TrafficInput, plan: SitePlan | None = None, **how: bool) -> Any:  # noqa: ANN401 - as it came
    return Mask(plan or the_patrols(), KEY, **how).line(AT, one)


def test_a_guard_has_one_stand_in_wherever_it_is_named() -> None:
    stand_in = line(tap(guard="g-01")).guard
    assert stand_in.startswith("masked-")
    assert line(tap(by="g-01")).by == stand_in
    assert line(command("duty.begin", guard="g-01")).args == {"guard": stand_in}
    assert line(command("duty.offer", to="g-01")).args == {"to": stand_in}
    assert line(command("guard.sos", target="g-01", key="k")).target == stand_in
    assert line(command("alert.ack", actor="g-01")).actor == stand_in
    topic = "facility/patrols/r-1/tap"
    assert json.loads(line(Message(topic, b'{"guard":"g-01","tag":"04"}')).payload)["guard"] == stand_in


def test_guards_can_be_kept() -> None:
    kept = line(tap(guard="g-01", by="g-02"), keep_guards=True)
    assert (kept.guard, kept.by) == ("g-01", "g-02")
    assert line(command("duty.begin", guard="g-01"), keep_guards=True).actor == "g-01"
    assert line(command("guard.sos", target="g-01"), keep_guards=True).target == "g-01"
    assert line(command("alert.ack", actor="Anna"), keep_guards=True).actor.startswith("masked-")
    payload = b'{"guard":"g-01","tag":"04"}'
    assert masked(payload, READER, keep_guards=True) == payload
    assert masked(payload[:-1], READER, keep_guards=True) == payload[:-1]


def test_a_phone_is_masked_and_a_reader_is_not() -> None:
    assert line(tap()).source.startswith("masked-")
    reader = next(
        name for name, device in the_patrols().equipment.items() if device.kind.profile == "patrol_reader"
    )
    assert line(tap(source=reader)).source == reader
    assert line(command("source.report", target="phone-of-anna")).target == line(tap()).source


def test_what_people_write_in_commands_goes_and_what_steers_them_stays() -> None:
    found = line(command("work_order.move", to="on_hold", reason="parts", resume_at=5))
    assert found.args == {"to": "on_hold", "reason": "parts", "resume_at": 5}
    for name in ("text", "why", "note", "reason", "assignee", "name"):
        assert line(command("alert.comment", **{name: "Anna says so"})).args[name].startswith("masked-")
    assert line(command("work_order.check", step="s", result=3.5)).args == {"step": "s", "result": 3.5}
    assert (
        line(command("work_order.check", step="s", result=["Anna"])).args["result"][0].startswith("masked-")
    )
    token = line(command("guard.token", target="g-01", sha256="a" * 64)).args["sha256"]
    assert len(token) == 64
    assert "aaa" not in token
    assert line(command("guard.token", target="g-01", sha256=None)).args == {"sha256": None}


@pytest.mark.parametrize("form", [{"form": "encrypted"}, {"form": "enc", "tamper": True}, {"form": "plain"}])
def test_an_address_of_a_tag_proves_nothing_any_more_and_its_seal_stays(form: dict[str, Any]) -> None:
    uid = "04C41C5A010180"
    keys = TagKeys.parse("00112233445566778899AABBCCDDEEFF")
    site = keys.of_site("patrols")[0]
    url = SimulatedTag(
        uid, 1, "https://h.example/t", site.meta, site.file(bytes.fromhex(uid), 1), **form
    ).tap()
    reader = TagReader("patrols", keys)
    seal = reader.read(url)
    assert seal.verdict == "good"
    message = Message(
        "facility/patrols/r-1/tap", json.dumps({"id": "1", "url": url}).encode(), seals={url: seal}
    )
    found = line(message)
    other = json.loads(found.payload)["url"]
    assert found.seals == {other: seal}
    assert line(tap(url=url, seal=seal)).url == other
    assert line(tap(url=url, seal=seal)).seal == seal
    assert len(other) == len(url)
    assert reader.read(other).verdict == "forged"
    for secret in url.split("?")[1].split("&"):
        if secret.partition("=")[0] in ("picc", "enc", "cmac"):
            assert secret not in other


def test_an_address_is_found_in_text_that_is_no_json_too() -> None:
    assert b"00112233" not in masked(b"GET /t?picc=0011223344556677&cmac=0011223344 {")


def test_of_a_site_file_its_digest_is_left_and_of_a_refusal_its_reason() -> None:
    assert line(Setup(AT, "d", b"names and numbers")) == Setup(AT, "d", None)
    refusal = Rejection(AT, "gate-1", GATE, "wrong_type", "credential: 4711 is no text", b"4711")
    found = line(refusal)
    assert (found.device, found.topic, found.reason) == ("gate-1", GATE, "wrong_type")
    assert "4711" not in repr(found)
    assert line(Tick(AT)) == Tick(AT)


@pytest.mark.parametrize("size", [0, 15, 65])
def test_a_key_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="16 to 64 bytes"):
        Mask(None, bytes(size))


def test_a_seal_without_a_verdict_of_ours_stays_too() -> None:
    seals = {"no address": Seal("malformed_url")}
    assert line(Message(READER, b"{}", seals=seals)).seals == seals
