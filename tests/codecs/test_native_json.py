"""The fast path and the thorough one give the same answer to every payload."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.codecs.native_json import Origin, TelemetryCodec
from gateway.core.inputs import Fact, Rejection, Telemetry
from gateway.core.values import Message
from tests.codecs.pump import AT, DECODER, PLAN, decode

CI = settings(max_examples=400, deadline=None)
CODEC = TelemetryCodec(PLAN.devices["p1"].kind)

GOOD = {
    "pressure": st.one_of(st.floats(0.5, 25), st.integers(1, 25)),
    "flow": st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**63), 2**63 - 1)),
    "stage": st.integers(1, 3),
    "starts": st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(0, 1e15).map(round).map(float)),
    "running": st.booleans(),
    "mode": st.sampled_from(["hand", "auto", "a:b"]),
    "label": st.text(max_size=8),
}
ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from([0.0, 1.0, 2.0**53, 2.0**63, 1e18, 1e300, -0.0, 3.5, 0.5, 25, "hand", "on:off"]),
        st.text(max_size=5),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
NAMES = st.one_of(st.sampled_from([*GOOD, "presure", "values", "ts", ":"]), st.text(max_size=3))
TIMES = st.one_of(
    st.integers(AT - 200_000_000, AT + 300_000),
    st.sampled_from(
        [
            None,
            float(AT),
            "2026-09-21T13:13:20Z",
            "2026-09-21T21:13:20.5+08:00",
            "soon",
            True,
            AT // 1000,
            2**70,
        ]
    ),
)
VALUES = st.one_of(
    st.fixed_dictionaries({}, optional=GOOD).map(lambda found: list(found.items())),
    st.lists(st.tuples(NAMES, ANYTHING), max_size=4),
    st.lists(st.tuples(NAMES, ANYTHING), max_size=1).flatmap(
        lambda odd: st.fixed_dictionaries({}, optional=GOOD).map(lambda found: [*found.items(), *odd])
    ),
)


class Pairs(list[tuple[str, Any]]):
    """An object with its keys in order, perhaps twice."""


def text(value: object, space: str) -> str:
    """JSON by hand, since no library writes a key twice."""
    match value:
        case Pairs():
            inside = f",{space}".join(
                f"{json.dumps(key)}{space}:{space}{text(one, space)}" for key, one in value
            )
            return f"{{{space}{inside}}}"
        case list():
            return f"[{', '.join(text(one, space) for one in value)}]"
        case _:
            return json.dumps(value)


ENVELOPES = st.builds(
    lambda values, ts, extra, order: Pairs(
        sorted(
            [("values", Pairs(values)), *[("ts", one) for one in ts], *extra],
            key=lambda pair: hash(pair[0]) ^ order,
        )
    ),
    VALUES,
    st.lists(TIMES, max_size=2),
    st.lists(st.tuples(st.sampled_from(["device", "site", "seq", "note", "values"]), ANYTHING), max_size=1),
    st.integers(0, 7),
)
PAYLOADS = st.builds(
    text,
    st.one_of(ENVELOPES, ENVELOPES, ENVELOPES, st.lists(ENVELOPES, max_size=3), ANYTHING),
    st.sampled_from(["", " ", "\n\t"]),
).map(str.encode)


def both(payload: bytes, *, received: int | None = None) -> tuple[Sequence[Fact], Sequence[Fact]]:
    message = Message("facility/mill/p1/telemetry", payload, received=received)
    origin = Origin("mill", PLAN.devices["p1"], message, AT, DECODER.seal_of)
    return list(CODEC.decode(origin)), list(CODEC._scan(origin))


@CI
@given(PAYLOADS)
@example(b'{"values": {"flow": 9223372036854775808}}')
@example(b'{"values": {"flow": -1e19}}')
@example(b'{"values": {"stage": 0}}')
@example(b'{"values": {"stage": 4}}')
@example(b'{"values": {"starts": 1e18}}')
@example(b'{"values": {"starts": 1.0}}')
@example(b'{"values": {"starts": 1e2}}')
@example(b'{"values": {"pressure": 3}, "ts": 1790000000000.0}')
@example(b'{"values": {"pressure": 3, "pressure": 4}}')
@example(b'{"values": {"pressure": 3, "mode": "a:b"}}')
@example(b'{"values": {"flow": 1}, "values": {"pressure": 99}}')
@example(b'{"ts": null, "values": {"flow": 1}}')
@example(b'{"values": {"flow": 1, "\\u0070ressure": 3}}')
def test_both_paths_give_the_same_answer(payload: bytes) -> None:
    fast, thorough = both(payload)
    assert msgspec.to_builtins(fast) == msgspec.to_builtins(thorough)
    assert [
        type(value) for fact in fast if isinstance(fact, Telemetry) for value in fact.values.values()
    ] == [type(value) for fact in thorough if isinstance(fact, Telemetry) for value in fact.values.values()]


@CI
@given(PAYLOADS, st.data())
def test_a_payload_damaged_on_the_way_gives_the_same_answer_on_both_paths(
    payload: bytes, data: st.DataObject
) -> None:
    raw = bytearray(payload)
    for _ in range(data.draw(st.integers(1, 3))):
        if raw:
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(
                st.sampled_from(b'{}[]:,"\\ 0e9-\xff\x00')
            )
    fast, thorough = both(bytes(raw))
    assert msgspec.to_builtins(fast) == msgspec.to_builtins(thorough)


@CI
@given(
    st.one_of(st.binary(max_size=80), PAYLOADS, PAYLOADS.map(lambda payload: payload[:-1])),
    st.sampled_from(
        [
            f"facility/mill/{one}"
            for one in ("p1/telemetry", "p1/event", "p1/status", "r1/tap", "plug-1/telemetry")
        ]
        + ["bridge/plug-1", "rooms/r/plug-1/state", "", "/", "facility/mill//telemetry", "facility/mill"]
    ),
)
def test_nothing_that_comes_in_raises_and_everything_is_answered(payload: bytes, topic: str) -> None:
    facts = decode(payload, topic)
    assert facts
    assert all(fact.at == AT for fact in facts)


@CI
@given(
    st.fixed_dictionaries({}, optional={name: GOOD[name] for name in GOOD if name != "label"}).filter(bool),
    ANYTHING,
)
def test_a_bad_value_beside_good_ones_loses_only_itself(good: dict[str, Any], bad: object) -> None:
    alone = decode(json.dumps({"values": good}))
    beside = decode(json.dumps({"values": {**good, "no such point": bad}}))
    assert beside[:-1] == alone
    assert isinstance(beside[-1], Rejection)


def test_a_retried_message_without_a_time_has_the_time_of_its_first_receipt() -> None:
    for facts in both(b'{"values": {"flow": 1}}', received=AT - 3_600_000):
        assert [fact.ts for fact in facts if isinstance(fact, Telemetry)] == [AT - 3_600_000]


def test_a_time_of_day_with_an_offset_is_read_to_the_millisecond() -> None:
    (fact,) = decode('{"ts": "2026-09-21T21:13:20.123456+08:00", "values": {"flow": 1}}')
    assert isinstance(fact, Telemetry)
    assert fact.ts == 1_789_996_400_123
