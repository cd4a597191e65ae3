"""What a source is subscribed to, changed while it runs and remembered over restarts, with a real Mosquitto."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from mqtt5 import (
    ConnAckPacket,
    SubAckPacket,
    SubAckReasonCode,
    UnsubAckPacket,
    UnsubAckReasonCode,
)

from gateway.adapters.mqtt_endings import BackOff
from gateway.adapters.mqtt_settings import MqttSettings, Version
from gateway.adapters.mqtt_source import MqttSource, connect_source
from gateway.adapters.mqtt_subscriptions import AGAIN, Ask, Grant, Record, Subscriptions
from gateway.ports import Link
from tests.adapters.running_source import Relay, eventually, numbered, publish, running, settings_for
from tests.adapters.scripted_broker import Peer, ScriptedBroker
from tests.servers.mosquitto import Mosquitto


@pytest.fixture(params=["5", "3.1.1"])
def version(request: pytest.FixtureRequest) -> Version:
    return cast(Version, request.param)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker", {"log_type": "all"}) as running_broker:
        yield running_broker


def remembering(settings: MqttSettings, record: Path) -> MqttSource:
    return connect_source(settings, BackOff(base=0.05, cap=0.2), record)


async def test_a_new_topic_is_received_and_an_old_one_is_not_over_the_same_connection(
    broker: Mosquitto, version: Version
) -> None:
    async with running(settings_for(broker.url, version)) as source:
        await source.link(up=True)
        source.source.subscribe(("facility/#", "claimed/+"))
        await asyncio.to_thread(broker.await_log, "gw 1 claimed/+")
        await publish(broker, [b"new"], topic="claimed/x")
        await source.take(1, ack=True)
        source.source.subscribe(("facility/#",))
        await asyncio.to_thread(broker.await_log, "gw claimed/+")
        await publish(broker, [b"unwanted"], topic="claimed/x")
        await publish(broker, [b"wanted"])
        assert await source.take(2, ack=True) == [b"new", b"wanted"]
        assert source.links == [Link(up=True)]
        assert source.source.reconnects == 0


async def test_nothing_is_missed_while_the_topics_change_under_load(
    broker: Mosquitto, version: Version
) -> None:
    async with running(settings_for(broker.url, version, filters=("facility/x",))) as source:
        await source.link(up=True)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(publish(broker, numbered(2_000)))
            tasks.create_task(source.until(lambda: len(set(source.payloads)) == 2_000, ack=True))
            await eventually(lambda: len(source.messages) > 200)
            for number in range(10):
                source.source.subscribe(("facility/+", f"more/{number}"))
                await asyncio.sleep(0)
                source.source.subscribe(("facility/x", f"other/{number}"))
        # Where filters overlap for a moment, a broker may send once for each of them [MQTT 3.1.1, 3.3.5].
        assert list(dict.fromkeys(source.payloads)) == numbered(2_000)


async def test_what_changes_without_a_connection_is_asked_for_at_the_next(
    broker: Mosquitto, version: Version
) -> None:
    async with (
        Relay(broker.port) as relay,
        running(
            settings_for(f"mqtt://127.0.0.1:{relay.port}", version, filters=("old/#", "facility/#"))
        ) as source,
    ):
        await source.link(up=True)
        await asyncio.to_thread(broker.stop)
        await source.link(up=False)
        source.source.subscribe(("facility/#", "new/#"))
        await asyncio.to_thread(broker.start)
        await source.link(up=True)
        await asyncio.to_thread(broker.await_log, "gw old/#")
        for topic in ("old/x", "new/x", "facility/x"):
            await publish(broker, [topic.encode()], topic=topic)
        assert await source.take(2, ack=True) == [b"new/x", b"facility/x"]


async def test_what_an_earlier_life_subscribed_to_is_given_up_after_a_restart(
    broker: Mosquitto, version: Version, tmp_path: Path
) -> None:
    record = tmp_path / "subscriptions.json"
    before = settings_for(broker.url, version, filters=("facility/#", "old/#"))
    async with running(before, remembering(before, record)) as source:
        await source.link(up=True)
    await asyncio.to_thread(broker.await_log, "Client gw disconnected.")
    await publish(broker, [b"queued before it was given up"], topic="old/x")
    after = settings_for(broker.url, version, filters=("facility/#",))
    async with running(after, remembering(after, record)) as source:
        await source.take(1, ack=True)
        await eventually(lambda: Record(after, record).filters == ("facility/#",))
        await publish(broker, [b"unwanted"], topic="old/x")
        await publish(broker, [b"wanted"])
        assert (await source.take(2, ack=True))[1] == b"wanted"
    other = settings_for(broker.url, version, client_id="other")
    assert Record(other, record).filters == ()


async def test_a_session_that_the_broker_has_lost_holds_nothing_to_give_up(
    broker: Mosquitto, version: Version, tmp_path: Path
) -> None:
    record = tmp_path / "subscriptions.json"
    settings = settings_for(broker.url, version)
    Record(settings, record).add(["long/gone"])
    async with running(settings, remembering(settings, record)) as source:
        await source.link(up=True)
        assert Record(settings, record).filters == ("facility/#",)


@pytest.mark.parametrize("body", [b"", b"{", b'{"broker": 1}'])
async def test_a_damaged_record_is_said_and_written_anew(
    broker: Mosquitto, tmp_path: Path, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    record = tmp_path / "subscriptions.json"
    record.write_bytes(body)
    settings = settings_for(broker.url, "5")
    async with running(settings, remembering(settings, record)) as source:
        await source.link(up=True)
    assert Record(settings, record).filters == ("facility/#",)
    assert ("cannot be read" in caplog.text) is bool(body)


async def test_a_record_that_cannot_be_written_stops_nothing(
    broker: Mosquitto, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_for(broker.url, "5")
    async with running(settings, remembering(settings, tmp_path / "nowhere" / "record.json")) as source:
        await source.link(up=True)
    assert "cannot be written down: " in caplog.text


async def test_a_refused_topic_is_told_and_the_others_go_on(
    version: Version, caplog: pytest.LogCaptureFixture
) -> None:
    async def script(peer: Peer) -> None:
        if peer.level == 5:
            peer.send(ConnAckPacket(session_present=True).write())
            await peer.packet()
            peer.send(SubAckPacket(1, [SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE]).write())
            await peer.packet()
            peer.send(SubAckPacket(1, [SubAckReasonCode.NOT_AUTHORIZED]).write())
        else:
            peer.send(bytes.fromhex("2002 0100"))
            peer.send(b"\x90\x03" + (await peer.packet())[2:4] + b"\x01")
            peer.send(b"\x90\x03" + (await peer.packet())[2:4] + b"\x80")
        peer.publish(b"still here", 7)
        await peer.gone()

    async with ScriptedBroker(script) as broker, running(settings_for(broker.url, version)) as source:
        await source.link(up=True)
        source.source.subscribe(("facility/#", "forbidden/#"))
        assert await source.take(1) == [b"still here"]
        assert source.links == [Link(up=True)]
        health = source.source.health()
        assert not health.ok
        assert "it refuses the subscription to 'forbidden/#': not a" in health.words
        assert "broker refused the subscription to 'forbidden/#': not a" in caplog.text
        source.source.subscribe(("facility/#",))
        assert source.source.health().ok


async def test_a_topic_that_the_broker_goes_on_sending_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async def script(peer: Peer) -> None:
        peer.send(ConnAckPacket(session_present=True).write())
        await peer.packet()
        peer.send(SubAckPacket(1, [SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE] * 2).write())
        await peer.packet()
        peer.send(UnsubAckPacket(2, [UnsubAckReasonCode.NOT_AUTHORIZED]).write())
        peer.publish(b"after it", 7)
        await peer.gone()

    with caplog.at_level(logging.WARNING):
        async with (
            ScriptedBroker(script) as broker,
            running(settings_for(broker.url, "5", filters=("facility/#", "sticky"))) as source,
        ):
            await source.link(up=True)
            source.source.subscribe(("facility/#",))
            await source.take(1)
    assert "goes on sending 'sticky', which is not wanted any more: not authorized" in caplog.text


def test_what_was_refused_is_asked_for_again_after_a_while() -> None:
    settings = settings_for("mqtt://broker", "5", filters=("a", "b"))
    subscriptions = Subscriptions(settings, Record(settings, None))
    subscriptions.opened(kept=False)
    assert subscriptions.next(0.0) == Ask(True, ("a", "b"))
    assert subscriptions.next(0.0) is None, "one question at a time"
    assert subscriptions.answered([Grant(1, ""), Grant(0x87, "not authorised")], 1.0) is None
    assert subscriptions.next(AGAIN) is None
    assert subscriptions.next(AGAIN + 1.0) == Ask(True, ("b",))
    assert subscriptions.answered([Grant(0, "")], AGAIN + 1.0) is None
    assert subscriptions.refused == {}
    assert subscriptions.caveats == ["it grants 'b' at QoS 0 only, where messages can be lost"]


def test_a_topic_wanted_again_while_it_is_given_up_is_asked_for_again() -> None:
    settings = settings_for("mqtt://broker", "5", filters=("a", "b"))
    subscriptions = Subscriptions(settings, Record(settings, None))
    subscriptions.opened(kept=False)
    subscriptions.next(0.0)
    subscriptions.answered([Grant(1, ""), Grant(1, "")], 0.0)
    subscriptions.want(("a",))
    assert subscriptions.next(0.0) == Ask(False, ("b",))
    subscriptions.want(("a", "b"))
    assert subscriptions.answered([], 0.0) is None
    assert subscriptions.next(0.0) == Ask(True, ("b",))


def test_what_a_broker_does_not_answer_for_counts_as_refused() -> None:
    settings = settings_for("mqtt://broker", "5", filters=("a", "b"))
    subscriptions = Subscriptions(settings, Record(settings, None))
    subscriptions.opened(kept=False)
    subscriptions.next(0.0)
    subscriptions.answered([Grant(1, "")], 0.0)
    assert subscriptions.refused == {"b": "no answer to it"}
    assert subscriptions.next(0.0) is None
