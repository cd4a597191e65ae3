"""A thousand and one poison messages in a row, of every kind: counted, kept within bounds, and in nobody's way."""

from collections import Counter
from pathlib import Path

from tests.e2e.conftest import StartGateway
from tests.e2e.ending import finish
from tests.e2e.mill import Stream, now, telemetry, topic, write_site
from tests.e2e.publisher import Publisher
from tests.e2e.readback import embedded, stored
from tests.servers.mosquitto import Mosquitto

ROW = 1_001
BROKEN = "press-1"


def reading(values: str, ts: str = "") -> bytes:
    """A payload of the broken device, its values written by hand."""
    return f'{{{ts}"values":{{{values}}}}}'.encode()


KINDS: dict[str, tuple[str, str, bytes]] = {
    "invalid UTF-8": ("not_utf8", topic(BROKEN), b'{"values":{"label":"\xc3\x28"}}'),
    "NaN": ("not_finite", topic(BROKEN), reading('"temp":NaN')),
    "Infinity": ("not_finite", topic(BROKEN), reading('"temp":-Infinity')),
    "a number past a float": ("not_finite", topic(BROKEN), reading('"temp":1e999')),
    "a huge integer": ("integer_too_large", topic(BROKEN), reading(f'"seq":{2**70}')),
    "over 64 KiB": ("too_large", topic(BROKEN), reading('"label":"' + "x" * 65_536 + '"')),
    "a wrong type": ("wrong_type", topic(BROKEN), reading('"temp":"hot"')),
    "an array of numbers": ("wrong_type", topic(BROKEN), b"[1]"),
    "an unknown device": ("unknown_device", topic("nobody"), reading('"temp":1')),
    "a device with an endless name": ("unknown_device", topic("x" * 60_000), reading('"temp":1')),
    "an unknown point": ("unknown_point", topic(BROKEN), reading('"tmep":1')),
    "an unknown word": ("unknown_word", topic(BROKEN), reading('"mode":"sideways"')),
    "control characters": ("control_characters", topic(BROKEN), reading(r'"label":"a\u0000b\n"')),
    "another device": ("device_mismatch", topic(BROKEN), b'{"device":"press-2","values":{"temp":1}}'),
    "out of range": ("out_of_range", topic(BROKEN), reading('"temp":900')),
    "a time in 1970": ("time_too_old", topic(BROKEN), reading('"temp":1', ts='"ts":0,')),
    "a time in 2100": ("time_in_future", topic(BROKEN), reading('"temp":1', ts='"ts":4102444800000,')),
    "no time at all": ("bad_time", topic(BROKEN), reading('"temp":1', ts='"ts":"yesterday",')),
    "deep nesting": ("too_deep", topic(BROKEN), b"[" * 60_000),
    "nothing": ("empty", topic(BROKEN), b""),
    "no JSON": ("not_json", topic(BROKEN), b'{"values":{"temp":1}'),
    "an unknown event": ("unknown_event", topic(BROKEN, "event"), b'{"type":"party"}'),
    "an unknown status": ("unknown_word", topic(BROKEN, "status"), b"asleep"),
    "a tap on a press": ("unknown_topic", topic(BROKEN, "tap"), b'{"tag":"04A22B1C3D5E80"}'),
}
"""What is wrong → the reason it is counted under, topic and payload."""

MEBIBYTE = 1 << 20


def size(folder: Path) -> int:
    """Bytes of everything in a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


async def test_1001_poison_messages_in_a_row_of_every_kind_neither_stop_the_stream_nor_fill_the_disk(
    tmp_path: Path, broker: Mosquitto, publisher: Publisher, gateway_of: StartGateway
) -> None:
    site, stream = write_site(tmp_path), Stream(len(KINDS) * 50, seed=51)
    gateway = gateway_of(site, broker.url, mqtt_receive_maximum=100).start()
    await gateway.watching()
    before = size(gateway.data)
    good = iter(stream.messages)
    for number, (_reason, name, payload) in enumerate(KINDS.values()):
        await publisher.publish([(name, payload)] * ROW)
        await publisher.publish(next(good) for _ in range(50))
        marker = telemetry(now(), label=f"after {number}")
        await publisher.publish([(topic("press-0"), marker)])
    await gateway.until(
        lambda: gateway.kept.last("press-0", "label") == f"after {len(KINDS) - 1}", "all to be committed"
    )

    expected = Counter(reason for reason, _, _ in KINDS.values())
    for reason, kinds in expected.items():
        assert gateway.meter(f'fgw_rejected_total{{reason="{reason}"}}') == kinds * ROW, reason
    counted = gateway.kept.refused
    assert counted.pop(("-", "unknown_device")) == 2 * ROW
    assert counted.pop(("-", "unknown_topic"), 0) + counted.pop((BROKEN, "unknown_topic"), 0) == ROW
    del expected["unknown_device"], expected["unknown_topic"]
    assert counted == {(BROKEN, reason): kinds * ROW for reason, kinds in expected.items()}
    assert size(gateway.data) - before < 40 * MEBIBYTE
    assert gateway.kept.number("SELECT sum(length(body)) FROM journal") < MEBIBYTE

    kept = gateway.kept.number("SELECT sum(length(payload)) FROM quarantine")
    _, name, payload = KINDS["over 64 KiB"]
    await publisher.publish([(name, payload)] * ROW)
    await finish(gateway, publisher)
    assert gateway.kept.number("SELECT sum(length(payload)) FROM quarantine") == kept
    assert size(gateway.data) - before < 40 * MEBIBYTE
    assert len(gateway.kept.outcomes("rejected")) < 8 * len(KINDS)
    async with embedded(gateway.data) as store:
        assert await stored(store, stream) == stream.readings
