"""CPU by stage: the hot path taken apart, each part over the same messages in the batches of a busy gateway."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import mqtt5
import sqlalchemy as sa

from gateway.adapters.line_protocol import LineEncoder
from gateway.adapters.sql import journal, outbox_rows
from gateway.adapters.sql.database import DataDir
from gateway.adapters.sql.store import Store
from gateway.codecs.decoder import Decoder
from gateway.core.effects import Effects
from gateway.core.engine import Engine
from gateway.core.inputs import Configured, Fact, LinkUp, Started
from gateway.core.plan import SitePlan
from gateway.core.state import State
from gateway.core.values import Message
from tests.bench.driver import payload

BATCH = 1_800
"""Messages in a turn under full load, as measured."""
START = 1_790_000_000_000


class Stage(NamedTuple):
    """A part of the path and what it costs: microseconds of CPU a message."""

    name: str
    micros: float


def measure(plan: SitePlan, folder: Path, count: int = 54_000) -> list[Stage]:
    """Take the path apart. The sum is what a message costs without the event loop and the sockets."""
    devices = list(plan.devices)
    topics = [f"facility/{plan.site}/{devices[number % len(devices)]}/telemetry" for number in range(count)]
    raw = [
        mqtt5.PublishPacket(
            topic, payload(START + number, number), qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=number % 65_000 + 1
        ).write()
        for number, topic in enumerate(topics)
    ]
    stages: list[Stage] = []

    def timed(name: str, work: Callable[[], None]) -> None:
        began = time.process_time()
        work()
        stages.append(Stage(name, (time.process_time() - began) / count * 1e6))

    messages: list[Message] = []
    timed("read MQTT packets", lambda: messages.extend(_read(raw)))
    batches = [messages[at : at + BATCH] for at in range(0, count, BATCH)]
    decoder, engine = Decoder(plan), Engine(plan, State())
    engine.step([Configured(START, plan), Started(START, None), LinkUp(START)])
    facts: list[list[Fact]] = []
    timed("decode and check values", lambda: facts.extend(_decode(decoder, batches)))
    effects: list[Effects] = []
    timed("judge every rule", lambda: effects.extend(engine.step(batch) for batch in facts))
    store = Store(DataDir(folder))
    timed("commit (journal, state, outbox)", lambda: _commit(store, engine, batches, effects))
    bodies = [outbox_rows.pack(effect.rows) for effect in effects]
    timed("outbox rows to line protocol", lambda: _encode(bodies))
    timed("PUBACKs", lambda: _acknowledge(count))
    return stages


def _read(raw: Sequence[bytes]) -> list[Message]:
    messages = []
    for data in raw:
        packet, _ = mqtt5.read(memoryview(data))
        assert isinstance(packet, mqtt5.PublishPacket)
        messages.append(Message(packet.topic, packet.payload, packet.retain))
    return messages


def _decode(decoder: Decoder, batches: Sequence[Sequence[Message]]) -> list[list[Fact]]:
    return [[fact for message in batch for fact in decoder.decode(message, START)] for batch in batches]


def _commit(
    store: Store, engine: Engine, batches: Sequence[Sequence[Message]], effects: Sequence[Effects]
) -> None:
    def work(connection: sa.Connection, batch: Sequence[Message], effect: Effects) -> int:
        entries: list[journal.Entry] = [(START, "message", message) for message in batch]
        return store.recorder.write(connection, entries, effect, engine.state)

    for batch, effect in zip(batches, effects, strict=True):
        store.transact(lambda connection, batch=batch, effect=effect: work(connection, batch, effect))  # type: ignore[misc]  # mypy cannot infer a lambda with defaults


def _encode(bodies: Sequence[bytes]) -> None:
    encoder = LineEncoder()
    for body in bodies:
        encoder.encode_all(outbox_rows.unpack(body), lambda _row, words: print(words))


def _acknowledge(count: int) -> None:
    for start in range(0, count, BATCH):
        b"".join(
            b"\x40\x02" + (number % 65_000 + 1).to_bytes(2, "big") for number in range(start, start + BATCH)
        )
