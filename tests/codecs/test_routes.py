"""From a topic to a device and its wire format."""

import pytest

from gateway.codecs.decoder import ROUTES_PER_DEVICE, Decoder, compile_claim
from gateway.core.inputs import Event, Rejection, Status, Tap, Telemetry
from gateway.core.values import Message, Seal
from gateway.site import SiteBundle, build_plan
from tests.codecs.pump import AT, DECODER, PLAN, decode, refused

ADDRESS = "https://t.example/t?picc=EF963FF7828658A599F3041510671E88&cmac=94EED9EE65337086"
"""Of a cryptographic tag; the decoder of these tests has no keys."""


def test_it_subscribes_to_the_native_topics_and_to_what_profiles_claim() -> None:
    assert Decoder(PLAN).filters == (
        "facility/mill/+/telemetry",
        "facility/mill/+/event",
        "facility/mill/+/status",
        "facility/mill/+/tap",
        "bridge/+",
        "rooms/+/+/state",
    )


@pytest.mark.parametrize(
    "topic", ["bridge/plug-1", "rooms/12/plug-1/state", "facility/mill/plug-1/telemetry"]
)
def test_flat_readings_come_by_every_topic_of_the_device_and_unknown_keys_are_passed_over(topic: str) -> None:
    assert decode(f'{{"temperature": 21, "linkquality": 80, "ts": {AT}}}', topic) == [
        Telemetry(AT, "plug-1", AT, {"temperature": 21.0})
    ]


@pytest.mark.parametrize(
    "topic", ["bridge/plug-1/x", "xbridge/plug-1", "bridge/plug 1", "rooms//plug-1/state", "bridge/"]
)
def test_a_claim_takes_whole_levels_of_plain_names_only(topic: str) -> None:
    assert refused(decode("{}", topic)) == ["unknown_topic"]


def test_a_claim_is_text_not_a_pattern() -> None:
    claim = compile_claim("a.b/(x)/{device}")
    assert claim.fullmatch("a.b/(x)/d-1")
    assert not claim.fullmatch("aXb/(x)/d-1")


def test_two_profiles_may_claim_the_same_topics() -> None:
    text = "profile: {name}\nreport_every: 1m\ncodec: flat-json\ntopics: ['b/{{device}}']\npoints: {{{point}: {{type: int}}}}\n"
    files = {
        "site.yaml": "{site: s, timezone: UTC, profiles: [a.yaml, b.yaml],"
        " devices: [{id: a1, profile: a}, {id: b1, profile: b}]}",
        "a.yaml": text.format(name="a", point="x"),
        "b.yaml": text.format(name="b", point="y"),
    }
    decoder = Decoder(build_plan(SiteBundle("site.yaml", files)))
    for name, point in (("a1", "x"), ("b1", "y")):
        facts = decoder.decode(Message(f"b/{name}", f'{{"{point}": 1, "ts": {AT}}}'.encode()), AT)
        assert list(facts) == [Telemetry(AT, name, AT, {point: 1})]


def test_neither_strangers_nor_endless_topics_of_a_known_device_fill_the_memory() -> None:
    decoder = Decoder(PLAN)
    for number in range(1_000):
        decoder.decode(Message(f"facility/mill/stranger-{number}/telemetry", b"{}"), AT)
        decoder.decode(Message(f"elsewhere/{number}", b"{}"), AT)
    assert len(decoder._routes) == 0
    for number in range(1_000):
        (fact,) = decoder.decode(Message(f"rooms/{number}/plug-1/state", b'{"on": true}'), AT)
        assert isinstance(fact, Telemetry)
    assert len(decoder._routes) == ROUTES_PER_DEVICE * len(PLAN.devices)


def test_a_status_is_one_of_two_words_and_keeps_whether_it_was_retained() -> None:
    topic = "facility/mill/p1/status"
    assert decode("online", topic, retained=True) == [Status(AT, "p1", online=True, retained=True)]
    assert decode("offline", topic) == [Status(AT, "p1", online=False)]


def test_an_event_is_known_by_its_id_or_by_what_it_says() -> None:
    topic = "facility/mill/p1/event"

    def key(body: str) -> str:
        (event,) = decode(body, topic)
        assert isinstance(event, Event)
        return event.key

    assert key('{"type": "stopped", "id": 17}') == "17"
    assert key(f'{{"type": "stopped", "ts": {AT - 5}}}') == f"stopped@{AT - 5}"
    one, again, other = (f'{{"type": "trip", "ts": {AT}, "zone": "{zone}"}}' for zone in ("B1", "B1", "B2"))
    assert key(one) == key(again) != key(other)


def test_a_bad_attribute_costs_the_attribute_and_not_the_event() -> None:
    event, *odd = decode('{"type": "trip", "cause": "rust", "amps": 3, "zone": 4}', "facility/mill/p1/event")
    assert isinstance(event, Event)
    assert event.attributes == {"amps": 3.0, "test": False}
    assert refused(odd) == ["unknown_word", "wrong_type"]


@pytest.mark.parametrize(
    "bad", ['{"id": "b", "tag": "04A3", "guard": "\\ud800"}', '{"id": "b", "tag": "04A3", "ts": 1e999}']
)
def test_a_tap_that_no_parser_takes_costs_no_tap_beside_it(bad: str) -> None:
    found = decode(
        f'[{{"id": "a", "tag": "04A2"}}, {bad}, {{"id": "c", "tag": "04A4"}}]', "facility/mill/r1/tap"
    )
    assert [one.id for one in found if isinstance(one, Tap) and one.id != "b"] == ["a", "c"]


def test_taps_come_alone_or_as_a_stored_list_and_a_bad_one_loses_only_itself() -> None:
    body = (
        '[{"id": "a", "tag": "04A2", "guard": "g"}, {"id": "b"}, {"id": "c", "code": "lobby", "type": "tap"}]'
    )
    first, bad, last = decode(body, "facility/mill/r1/tap")
    assert isinstance(bad, Rejection)
    assert first == Tap(at=AT, id="a", source="r1", ts=AT, tag="04A2", guard="g")
    assert last == Tap(at=AT, id="c", source="r1", ts=AT, before=AT, code="lobby", how="qr")


def test_what_the_address_of_a_tag_proved_when_it_came_stands_in_a_replay_without_keys() -> None:
    seal = Seal("good", "04DE5F1EACC040", 61)
    body = f'[{{"id": "a", "url": "{ADDRESS}"}}, {{"id": "b", "url": "https://t/other"}}]'.encode()
    kept = Message("facility/mill/r1/tap", body, seals={ADDRESS: seal})
    first, other = DECODER.decode(kept, AT)
    assert isinstance(first, Tap)
    assert isinstance(other, Tap)
    assert first.seal == seal
    assert other.seal is not None
    assert other.seal.verdict == "malformed_url"


def test_a_tap_is_taken_only_where_the_profile_has_one() -> None:
    assert refused(decode('{"id": "a", "tag": "04A2"}', "facility/mill/p1/tap")) == ["unknown_topic"]
    assert isinstance(decode('{"id": "a", "tag": "04A2"}', "facility/mill/r1/tap")[0], Tap)
