"""Every reason for which a payload is refused, each with the words a person gets."""

import json

import pytest

from gateway.codecs.decoder import MALFORMED, REJECTIONS_MOST
from gateway.codecs.reasons import REASONS
from gateway.core.inputs import Event, Rejection, Telemetry
from tests.codecs.pump import AT, decode, refused

TELEMETRY, EVENT, STATUS = (f"facility/mill/p1/{channel}" for channel in ("telemetry", "event", "status"))
TAP = "facility/mill/r1/tap"

CASES = [
    ("bad_id", EVENT, '{"type": "stopped", "id": ""}', "id '' is no printable text of 1 to 128 characters"),
    (
        "bad_id",
        EVENT,
        '{"type": "stopped", "id": true}',
        "id True is no printable text of 1 to 128 characters",
    ),
    (
        "bad_id",
        EVENT,
        '{"type": "stopped", "id": "a\\nb"}',
        "id 'a\\nb' is no printable text of 1 to 128 characters",
    ),
    ("bad_id", TAP, '{"tag": "04A2"}', "a tap needs its own id, so that it can be sent again"),
    (
        "bad_time",
        TELEMETRY,
        '{"ts": "yesterday", "values": {"flow": 1}}',
        "ts 'yesterday' is no RFC 3339 time",
    ),
    (
        "bad_time",
        TELEMETRY,
        '{"ts": "2026-09-21T13:13:20", "values": {"flow": 1}}',
        "ts '2026-09-21T13:13:20' has no offset; write …Z or …+08:00",
    ),
    (
        "bad_time",
        TELEMETRY,
        '{"ts": 1790000000000.5, "values": {"flow": 1}}',
        "ts 1790000000000.5 is neither integer milliseconds nor RFC 3339 text",
    ),
    (
        "control_characters",
        TELEMETRY,
        '{"values": {"label": "a\\u0000b"}}',
        "label: control characters in the text",
    ),
    (
        "device_mismatch",
        TELEMETRY,
        '{"device": "p2", "values": {"flow": 1}}',
        "the payload says device 'p2', the topic says p1",
    ),
    (
        "device_mismatch",
        EVENT,
        '{"site": "hill", "type": "stopped"}',
        "the payload says site 'hill', the topic says mill",
    ),
    ("empty", TELEMETRY, "", "an empty payload"),
    ("empty", TELEMETRY, "[]", "an empty list"),
    ("empty", TELEMETRY, '{"values": {}}', "no values"),
    ("empty", EVENT, "[]", "an empty list"),
    ("empty", TAP, "[]", "an empty list"),
    (
        "integer_too_large",
        TELEMETRY,
        '{"values": {"starts": 9223372036854775808}}',
        "starts: an integer past 64 bits",
    ),
    (
        "integer_too_large",
        TELEMETRY,
        '{"values": {"flow": 9223372036854775808}}',
        "flow: an integer past 64 bits",
    ),
    ("malformed_packet", MALFORMED, "\\x30\\xff", "an MQTT packet that cannot be read"),
    ("not_finite", TELEMETRY, '{"values": {"flow": NaN}}', "NaN and Infinity are no JSON numbers"),
    ("not_finite", TELEMETRY, '{"values": {"flow": -Infinity}}', "NaN and Infinity are no JSON numbers"),
    ("not_finite", TELEMETRY, '{"values": {"flow": 1e999}}', None),
    ("not_json", TELEMETRY, '{"values": {"flow": 1}', None),
    ("not_json", TELEMETRY, '{"values": {"flow": 1}} x', None),
    ("not_utf8", TELEMETRY, b'{"values": {"label": "\xff"}}', "byte 22 is not UTF-8"),
    ("out_of_range", TELEMETRY, '{"values": {"pressure": 25.1}}', "pressure: 25.1 is outside 0.5 to 25 bar"),
    ("out_of_range", TELEMETRY, '{"values": {"stage": 0}}', "stage: 0 is outside 0.5 to 3.5"),
    (
        "time_in_future",
        TELEMETRY,
        f'{{"ts": {AT + 120_001}, "values": {{"flow": 1}}}}',
        f"ts {AT + 120_001} is more than 120 s after its receipt",
    ),
    (
        "time_too_old",
        TELEMETRY,
        f'{{"ts": {AT - 86_400_001}, "values": {{"flow": 1}}}}',
        f"ts {AT - 86_400_001} is more than 86400 s before its receipt",
    ),
    (
        "time_too_old",
        TELEMETRY,
        f'{{"ts": {AT // 1000}, "values": {{"flow": 1}}}}',
        "ts 1790000000 is more than 86400 s before its receipt; it looks like seconds, send milliseconds",
    ),
    ("too_deep", TELEMETRY, "[" * 5_000 + "]" * 5_000, "the JSON is nested too deeply"),
    ("too_large", TELEMETRY, " " * 65_537, "65537 bytes, at most 65536 are allowed"),
    ("unknown_device", "facility/mill/p9/telemetry", "{}", "the site mill has no device 'p9'"),
    ("unknown_device", "bridge/p1", "{}", "no device that claims this topic is called 'p1'"),
    ("unknown_event", EVENT, '{"type": "exploded"}', "pump has no event 'exploded'"),
    ("unknown_event", EVENT, "{}", "pump has no event None"),
    ("unknown_point", TELEMETRY, '{"values": {"presure": 3}}', "pump has no point 'presure'"),
    ("unknown_point", "bridge/plug-1", '{"power": 3}', "none of ['power'] is a point of the profile"),
    ("unknown_topic", "facility/mill/p1/telemetries", "{}", "nobody claims 'facility/mill/p1/telemetries'"),
    ("unknown_topic", "facility/mill/p1/telemetry/x", "{}", "nobody claims 'facility/mill/p1/telemetry/x'"),
    ("unknown_topic", "facility/mill/p1/tap", "{}", "nobody claims 'facility/mill/p1/tap'"),
    ("unknown_topic", "elsewhere", "{}", "nobody claims 'elsewhere'"),
    ("unknown_word", TELEMETRY, '{"values": {"mode": "Hand"}}', "mode: 'Hand' is not one of hand, auto, a:b"),
    ("unknown_word", STATUS, "Online", "status b'Online' is neither online nor offline"),
    ("wrong_type", TELEMETRY, "3", "expected an object with values, found 3"),
    ("wrong_type", TELEMETRY, "[[]]", "expected an object with values, found []"),
    ("wrong_type", TELEMETRY, '{"flow": 1}', "values must be an object of points, found None"),
    ("wrong_type", TELEMETRY, '{"values": {"running": 1}}', "running: 1 is no bool"),
    ("wrong_type", TELEMETRY, '{"values": {"flow": true}}', "flow: True is no float"),
    ("wrong_type", TELEMETRY, '{"values": {"starts": 1.5}}', "starts: 1.5 is no int"),
    ("wrong_type", TELEMETRY, '{"values": {"label": null}}', "label: None is no text"),
    ("wrong_type", EVENT, "[1]", "expected an object with a type, found 1"),
    ("wrong_type", TAP, "[1]", "expected a tap object, found 1"),
    ("wrong_type", TAP, '{"id": "x"}', "a tap needs a tag, the tag's url, or the code of a label"),
    ("wrong_type", "bridge/plug-1", "[1]", "expected an object, found [1]"),
]


@pytest.mark.parametrize(("reason", "topic", "payload", "words"), CASES)
def test_what_cannot_be_taken_is_refused_in_plain_words(
    reason: str, topic: str, payload: str | bytes, words: str | None
) -> None:
    (fact,) = decode(payload, topic)
    assert isinstance(fact, Rejection)
    assert (fact.reason, fact.topic, fact.at) == (reason, topic, AT)
    assert fact.payload == (payload if isinstance(payload, bytes) else payload.encode())
    assert fact.detail == words if words else fact.detail


def test_an_attribute_nobody_declared_is_told_and_the_event_is_kept() -> None:
    event, odd = decode('{"type": "trip", "cause": "heat", "colour": "red"}', EVENT)
    assert isinstance(event, Event)
    assert isinstance(odd, Rejection)
    assert event.attributes == {"cause": "heat", "test": False}
    assert (odd.reason, odd.detail) == ("unknown_attribute", "trip has no attribute 'colour'")


def test_every_reason_is_shown_here() -> None:
    elsewhere = {"unknown_attribute", "internal_error"}  # below, and where the loop sets a message aside
    assert {reason for reason, *_ in CASES} | elsewhere == set(REASONS)


def test_the_limits_themselves_are_allowed() -> None:
    for ts in (AT + 120_000, AT - 86_400_000):
        (fact,) = decode(f'{{"ts": {ts}, "values": {{"pressure": 25, "stage": 3, "starts": {2**63 - 1}}}}}')
        assert isinstance(fact, Telemetry)
        assert (fact.ts, fact.values) == (ts, {"pressure": 25.0, "stage": 3, "starts": 2**63 - 1})
    padded = b'{"values": {"flow": 1}}'.ljust(65_536)
    assert refused(decode(padded)) == []


def test_one_bad_value_loses_only_itself() -> None:
    good, *bad = decode('{"values": {"pressure": 3, "stage": 9, "mode": "auto", "x": 1, "running": "yes"}}')
    assert isinstance(good, Telemetry)
    assert good.values == {"pressure": 3.0, "mode": "auto"}
    assert refused(bad) == ["out_of_range", "unknown_point", "wrong_type"]


def test_one_bad_reading_of_a_batch_loses_only_itself() -> None:
    facts = decode(f'[{{"values": {{"flow": 1}}}}, 7, {{"ts": {AT - 5}, "values": {{"flow": 2}}}}]')
    assert [fact.ts if isinstance(fact, Telemetry) else fact.reason for fact in facts] == [  # type: ignore[union-attr]  # telemetry or refused
        AT,
        "wrong_type",
        AT - 5,
    ]


@pytest.mark.parametrize("depth", range(900, 1_010))
@pytest.mark.parametrize(
    "shell", ["{}", '{{"values": {{"flow": {}}}}}', '{{"type": {}}}', '{{"id": {}, "type": "stopped"}}']
)
def test_nesting_at_the_edge_of_what_can_be_parsed_is_refused_and_raises_nothing(
    depth: int, shell: str
) -> None:
    payload = shell.format("[" * depth + "]" * depth)
    for topic in (TELEMETRY, EVENT, TAP, "bridge/plug-1"):
        assert refused(decode(payload, topic))


def test_a_batch_of_faults_is_told_in_a_few_words_and_costs_nothing_that_was_valid() -> None:
    items = [{"values": {"no such point": 1}}] * 500 + [{"values": {"flow": 1}}] * 30
    facts = decode(json.dumps(items))
    faults = [fact for fact in facts if isinstance(fact, Rejection)]
    assert len(facts) - len(faults) == 30
    assert len(faults) == REJECTIONS_MOST
    assert faults[-1].detail.endswith("and 480 more faults in this message")
