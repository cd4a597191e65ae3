"""What brokers do that a well-kept Mosquitto does not: old versions, refusals, broken and hostile bytes."""

import random
from typing import cast

import pytest
from mqtt5 import (
    ConnAckPacket,
    ConnAckReasonCode,
    DisconnectPacket,
    DisconnectReasonCode,
    PublishPacket,
    PubRelPacket,
    QoS,
    SubAckPacket,
    SubAckReasonCode,
)

from gateway.adapters import mqtt5_session, paho_dialect
from gateway.adapters.mqtt_endings import BackOff
from gateway.adapters.mqtt_settings import Version
from gateway.adapters.mqtt_source import connect_source
from gateway.core.values import Message
from gateway.ports import Link
from tests.adapters.running_source import eventually, running, settings_for
from tests.adapters.scripted_broker import CONNACK_3, Peer, ScriptedBroker

BAD_PROPERTY = bytes.fromhex("320b 0001 61 0008 02 7f01 706179")
"""A PUBLISH at QoS 1 with packet id 8 and a property that MQTT 5 does not know."""


@pytest.fixture(params=["5", "3.1.1"])
def version(request: pytest.FixtureRequest) -> Version:
    return cast(Version, request.param)


@pytest.mark.parametrize(
    "refusal",
    [
        ConnAckPacket(reason_code=ConnAckReasonCode.UNSUPPORTED_PROTOCOL_VERSION).write(),
        bytes.fromhex("2002 0001"),
        bytes.fromhex("2002 0084"),
        b"",
    ],
    ids=["reason code of MQTT 5", "return code of MQTT 3.1.1", "a mixture of both", "no answer"],
)
async def test_a_broker_that_does_not_speak_mqtt_5_is_spoken_to_in_3_1_1(refusal: bytes) -> None:
    acknowledgements: list[bytes] = []

    async def script(peer: Peer) -> None:
        if peer.level == 5:
            peer.send(refusal)
            return
        await peer.subscribe()
        peer.publish(b"hello", 5)
        acknowledgements.append(await peer.packet())
        await peer.gone()

    async with ScriptedBroker(script) as broker, running(settings_for(broker.url, "auto")) as source:
        assert await source.take(1, ack=True) == [b"hello"]
        await eventually(lambda: bool(acknowledgements))
        assert source.items[0] == Link(up=True)
        assert acknowledgements == [bytes.fromhex("4002 0005")]
        assert source.source.health().words == f"connected to {broker.url} by MQTT 3.1.1"


async def test_a_broker_that_hangs_at_mqtt_5_is_spoken_to_in_3_1_1_from_then_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mqtt5_session, "GUESS_TIME", 0.1)
    levels: list[int] = []

    async def script(peer: Peer) -> None:
        levels.append(peer.level)
        if peer.level == 4:
            await peer.subscribe()
            peer.publish(b"%d" % peer.number, 1)
            await peer.packet()
        else:
            await peer.gone()

    async with ScriptedBroker(script) as broker, running(settings_for(broker.url, "auto")) as source:
        assert await source.take(3, ack=True) == [b"2", b"3", b"4"]
        assert levels[:4] == [5, 4, 4, 4]


async def test_a_broker_that_speaks_no_version_is_said() -> None:
    async def script(peer: Peer) -> None:
        peer.send(bytes.fromhex("2002 0001"))

    async with ScriptedBroker(script) as broker, running(settings_for(broker.url, "auto")) as source:
        assert "does not speak this version of MQTT" in (await source.link(up=False)).reason


async def test_a_refused_subscription_is_said(version: Version) -> None:
    async def script(peer: Peer) -> None:
        if peer.level == 5:
            peer.send(ConnAckPacket().write())
            await peer.packet()
            peer.send(SubAckPacket(1, [SubAckReasonCode.NOT_AUTHORIZED]).write())
        else:
            peer.send(CONNACK_3)
            request = await peer.packet()
            peer.send(b"\x90\x03" + request[2:4] + b"\x80")
        await peer.gone()

    async with ScriptedBroker(script) as broker, running(settings_for(broker.url, version)) as source:
        reason = (await source.link(up=False)).reason
        assert reason.startswith("broker refused the subscription to 'facility/#': not a")
        assert source.links == [Link(up=False, reason=reason)]


async def test_a_takeover_that_the_broker_announces_is_said() -> None:
    async def script(peer: Peer) -> None:
        await peer.subscribe()
        peer.send(DisconnectPacket(reason_code=DisconnectReasonCode.SESSION_TAKEN_OVER).write())

    async with ScriptedBroker(script) as broker, running(settings_for(broker.url, "5")) as source:
        await source.until(lambda: len(source.links) == 2)
        assert (
            source.links[-1].reason
            == "another client took over the client id 'gw'; give each gateway its own"
        )


@pytest.mark.parametrize("speak", ["auto", "5", "3.1.1"])
async def test_a_server_that_is_no_broker_is_said(speak: Version) -> None:
    async def script(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    async with ScriptedBroker(script) as broker, running(settings_for(broker.url, speak)) as source:
        reason = (await source.link(up=False)).reason
        words = (
            "closes the connection without an answer"
            if speak == "3.1.1"
            else "is not an MQTT broker; it sent b'HTTP"
        )
        assert words in reason


async def test_a_broker_that_never_answers_is_given_up(
    version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt5_session, "ANSWER_TIME", 0.2)
    monkeypatch.setattr(paho_dialect, "ANSWER_TIME", 0.2)
    async with ScriptedBroker(Peer.gone) as broker, running(settings_for(broker.url, version)) as source:
        assert (await source.link(up=False)).reason.endswith("did not answer within 0.2 s")


async def test_a_message_that_cannot_be_read_ends_the_connection_once_and_is_then_quarantined() -> None:
    farewells: list[bytes] = []
    acknowledgements: list[bytes] = []

    async def script(peer: Peer) -> None:
        await peer.subscribe(
            BAD_PROPERTY, PublishPacket("facility/x", b"next", qos=QoS.AT_LEAST_ONCE, packet_id=9).write()
        )
        if peer.number == 1:
            farewells.append(await peer.packet())
        else:
            acknowledgements.extend([await peer.packet(), await peer.packet()])
        await peer.gone()

    async with ScriptedBroker(script) as broker, running(settings_for(broker.url, "5")) as source:
        await source.until(lambda: len(source.messages) == 2, ack=True)
        assert source.messages == [Message("$malformed", BAD_PROPERTY), Message("facility/x", b"next")]
        await eventually(lambda: len(acknowledgements) == 2)
        assert farewells == [DisconnectPacket(reason_code=DisconnectReasonCode.MALFORMED_PACKET).write()]
        assert acknowledgements == [bytes.fromhex("4002 0008"), bytes.fromhex("4002 0009")]
        assert (source.source.malformed, source.source.reconnects) == (2, 1)


async def test_a_packet_that_is_too_large_is_answered_with_the_right_reason() -> None:
    farewells: list[bytes] = []

    async def script(peer: Peer) -> None:
        await peer.subscribe()
        peer.send(PublishPacket("facility/x", bytes(70_000), qos=QoS.AT_LEAST_ONCE, packet_id=9).write())
        farewells.append(await peer.packet())

    async with ScriptedBroker(script) as broker:
        settings = settings_for(broker.url, "5", max_packet=1024)
        async with running(settings) as source:
            await source.until(lambda: len(source.links) == 2)
            assert source.links[-1].reason.endswith("sent a packet larger than 1,024 bytes")
    assert farewells[0] == DisconnectPacket(reason_code=DisconnectReasonCode.PACKET_TOO_LARGE).write()


async def test_a_topic_that_is_not_text_is_quarantined_in_3_1_1() -> None:
    async def script(peer: Peer) -> None:
        await peer.subscribe()
        peer.send(bytes.fromhex("3207 0002 fffe 0007 70"))
        await peer.gone()

    async with ScriptedBroker(script) as broker, running(settings_for(broker.url, "3.1.1")) as source:
        await source.until(lambda: len(source.messages) == 1)
        assert source.messages == [Message("$malformed", b"p")]
        assert source.source.malformed == 1


async def test_the_acknowledgements_of_a_batch_go_out_together_and_in_order(version: Version) -> None:
    received: list[bytes] = []

    async def script(peer: Peer) -> None:
        await peer.subscribe()
        for packet_id in (7, 3, 9):
            peer.publish(b"x", packet_id)
        received.extend([await peer.packet() for _ in range(3)])
        await peer.gone()

    async with ScriptedBroker(script) as broker, running(settings_for(broker.url, version)) as source:
        await source.take(3, ack=True)
        await eventually(lambda: len(received) == 3)
        assert received == [
            bytes.fromhex("4002 0007"),
            bytes.fromhex("4002 0003"),
            bytes.fromhex("4002 0009"),
        ]


async def test_a_message_of_an_older_subscription_at_qos_2_is_acknowledged_after_it_was_kept() -> None:
    received: list[bytes] = []

    async def script(peer: Peer) -> None:
        await peer.subscribe()
        peer.publish(b"twice", 4, QoS.EXACTLY_ONCE)
        received.append(await peer.packet())
        peer.send(PubRelPacket(4).write())
        received.append(await peer.packet())
        await peer.gone()

    async with ScriptedBroker(script) as broker, running(settings_for(broker.url, "5")) as source:
        assert await source.take(1, ack=True) == [b"twice"]
        await eventually(lambda: len(received) == 2)
        assert received == [bytes.fromhex("5002 0004"), bytes.fromhex("7002 0004")]


async def test_what_the_broker_did_not_grant_is_in_its_health() -> None:
    async def script(peer: Peer) -> None:
        peer.send(ConnAckPacket(session_expiry_interval=60).write())
        await peer.packet()
        peer.send(SubAckPacket(1, [SubAckReasonCode.GRANTED_QOS_AT_MOST_ONCE]).write())
        await peer.gone()

    async with ScriptedBroker(script) as broker, running(settings_for(broker.url, "5")) as source:
        await source.link(up=True)
        words = source.source.health().words
        assert "keeps the session of an absent gateway for 60 s only" in words
        assert "grants 'facility/#' at QoS 0 only" in words


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # the codec panics at text that is not UTF-8
async def test_hostile_bytes_never_stop_the_source(version: Version) -> None:
    hostile = random.Random(version)
    rounds = 15

    async def script(peer: Peer) -> None:
        if peer.number <= rounds:
            await peer.subscribe()
            start = hostile.choice([b"\x32", b"\x30", b"\x20", b"\x90", b"\xd0", b"\xe0", b"\x00", b"\xff"])
            peer.send(start + hostile.randbytes(hostile.randrange(1, 300)))
            return
        await peer.subscribe()
        peer.publish(b"still here", 1)
        await peer.gone()

    async with ScriptedBroker(script) as broker:
        settings = settings_for(broker.url, version)
        async with running(settings, connect_source(settings, BackOff(base=0.0, cap=0.0))) as source:
            await source.until(lambda: b"still here" in source.payloads, ack=True)


async def test_the_same_reason_is_reported_once_however_often_it_is_tried(version: Version) -> None:
    async with running(settings_for("mqtt://127.0.0.1:1", version)) as source:
        await source.link(up=False)
        await eventually(lambda: source.source._back_off._attempts >= 4)
        assert source.source.take(10).items == []
        assert len(source.links) == 1
