"""The contract of a source, over both versions of MQTT and a real Mosquitto."""

import asyncio
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import aiomqtt
import pytest

from gateway.adapters.mqtt_inbox import Inbox
from gateway.adapters.mqtt_settings import Version
from gateway.adapters.mqtt_source import MqttSource, connect_source
from gateway.core.values import Message
from gateway.ports import Link
from tests.adapters.running_source import Relay, Running, eventually, numbered, publish, running, settings_for
from tests.servers.certificates import Authority, make_authority
from tests.servers.mosquitto import Mosquitto
from tests.servers.ports import free_port


@pytest.fixture(params=["5", "3.1.1"])
def version(request: pytest.FixtureRequest) -> Version:
    return cast(Version, request.param)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as running_broker:
        yield running_broker


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


async def test_the_link_comes_up_before_the_first_message(broker: Mosquitto, version: Version) -> None:
    settings = settings_for(broker.url, version)
    async with running(settings) as source:
        await source.link(up=True)
    await publish(broker, [b"waited"])
    async with running(settings) as source:
        await source.take(1)
        assert source.items == [Link(up=True), Message("facility/x", b"waited")]


async def test_messages_come_in_the_order_of_their_receipt(broker: Mosquitto, version: Version) -> None:
    async with running(settings_for(broker.url, version)) as source:
        await source.link(up=True)
        await publish(broker, numbered(300))
        assert await source.take(300, limit=7, ack=True) == numbered(300)
        assert (source.source.received, source.source.acked) == (300, 300)


async def test_quality_of_service_0_is_taken_too(broker: Mosquitto, version: Version) -> None:
    async with running(settings_for(broker.url, version)) as source:
        await source.link(up=True)
        await publish(broker, numbered(20), qos=0)
        assert await source.take(20, ack=True) == numbered(20)
        assert source.source.acked == 0


async def test_an_empty_payload_is_a_message(broker: Mosquitto, version: Version) -> None:
    async with running(settings_for(broker.url, version)) as source:
        await source.link(up=True)
        await publish(broker, [b""])
        await source.take(1)
        assert source.messages == [Message("facility/x", b"")]


async def test_only_what_was_stored_before_is_marked_as_retained(broker: Mosquitto, version: Version) -> None:
    await publish(broker, [b"old"], retain=True)
    async with running(settings_for(broker.url, version)) as source:
        await source.take(1)
        await publish(broker, [b"new"], retain=True)
        await source.take(2)
        assert [(m.payload, m.retained) for m in source.messages] == [(b"old", True), (b"new", False)]


async def test_what_was_acknowledged_is_not_sent_again_and_the_rest_is(
    broker: Mosquitto, version: Version
) -> None:
    settings = settings_for(broker.url, version)
    async with running(settings) as source:
        await source.link(up=True)
        await publish(broker, numbered(15))
        await source.take(15, limit=1)
        for ticket in source.tickets[: source.items.index(source.messages[6])]:
            source.source.ack(ticket)
        acked = source.source.acked
    # The broker has read everything up to our DISCONNECT.
    await asyncio.to_thread(broker.await_log, "Client gw disconnected.")
    async with running(settings) as source:
        await publish(broker, [b"last"])
        expected = [*numbered(15 - acked, acked), b"last"]
        assert await source.take(len(expected), ack=True) == expected
    assert acked >= 5


async def test_a_clean_stop_says_goodbye_and_keeps_the_session(broker: Mosquitto, version: Version) -> None:
    settings = settings_for(broker.url, version)
    async with running(settings) as source:
        await source.link(up=True)
    await asyncio.to_thread(broker.await_log, "Client gw disconnected.")
    await publish(broker, [b"while away"])
    async with running(settings) as source:
        assert await source.take(1) == [b"while away"]


async def test_nothing_is_lost_when_the_connection_breaks(broker: Mosquitto, version: Version) -> None:
    async with (
        Relay(broker.port) as relay,
        running(settings_for(f"mqtt://127.0.0.1:{relay.port}", version)) as source,
    ):
        await source.link(up=True)
        await publish(broker, numbered(15))
        await source.take(5, limit=5)
        relay.cut()
        assert "closed the connection" in (await source.link(up=False)).reason
        late = list(source.tickets)
        source.forget()
        await source.link(up=True)
        await source.until(lambda: len(set(source.payloads)) == 15)
        assert source.payloads[-15:] == numbered(15)
        for ticket in late:
            source.source.ack(ticket)
        assert source.source.acked == 0
        assert source.source.dropped_acks > 0
        assert source.source.reconnects == 1


async def test_nothing_unacknowledged_is_lost_when_the_broker_is_killed(
    broker: Mosquitto, version: Version
) -> None:
    settings = settings_for(broker.url, version)
    async with running(settings) as source:
        await source.link(up=True)
    # Mosquitto saves what waits for an absent client, but not what is under way to a connected one.
    await publish(broker, numbered(15))
    async with running(settings) as source:
        await source.take(15)
        broker.kill()
        await source.link(up=False)
        source.forget()
        broker.start()
        assert await source.take(15, ack=True) == numbered(15)
        source.forget()
        await publish(broker, [b"after"])
        assert await source.take(1) == [b"after"]


async def test_the_window_of_unacknowledged_messages_is_respected(tmp_path: Path, version: Version) -> None:
    with Mosquitto(tmp_path, {"max_inflight_messages": "10"}) as broker:
        async with running(settings_for(broker.url, version, receive_maximum=10)) as source:
            await source.link(up=True)
            await publish(broker, numbered(25))
            await publish(broker, [b"overtakes"], qos=0)
            await source.until(lambda: b"overtakes" in source.payloads)
            assert source.payloads == [*numbered(10), b"overtakes"]
            for ticket in source.tickets:
                source.source.ack(ticket)
            await source.take(26, ack=True)
            assert source.payloads[11:] == numbered(15, 10)


async def test_what_is_refused_is_sent_again(broker: Mosquitto, version: Version) -> None:
    async with running(settings_for(broker.url, version)) as source:
        await source.link(up=True)
        await publish(broker, numbered(15))
        await source.take(5, limit=5)
        old = list(source.tickets)
        source.source.refuse()
        source.forget()
        assert await source.take(15) == numbered(15)
        assert source.links[-2:] == [
            Link(up=False, reason="the gateway could not keep what it received and asked for it again"),
            Link(up=True),
        ]
        for ticket in old:
            source.source.ack(ticket)
        assert source.source.acked == 0
        for ticket in source.tickets:
            source.source.ack(ticket)
        assert source.source.acked == 15


async def test_a_ticket_counts_once(broker: Mosquitto, version: Version) -> None:
    async with running(settings_for(broker.url, version)) as source:
        await source.link(up=True)
        await publish(broker, numbered(3))
        await source.take(3, ack=True)
        for ticket in source.tickets:
            source.source.ack(ticket)
        assert source.source.acked == 3
        with pytest.raises(TypeError, match="a ticket comes from take"):
            source.source.ack(7)


@pytest.fixture
def passwords(tmp_path: Path) -> Path:
    """User ``lift`` with the password ``right``."""
    file = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(file), "lift", "right"], check=True)  # noqa: S607  # found on PATH
    return file


async def test_a_wrong_password_is_said_and_retried(
    tmp_path: Path, passwords: Path, version: Version
) -> None:
    with Mosquitto(
        tmp_path / "broker", {"allow_anonymous": "false", "password_file": str(passwords)}
    ) as broker:
        place = f"127.0.0.1:{broker.port}"
        async with running(settings_for(f"mqtt://lift:wrong@{place}", version)) as source:
            assert (await source.link(up=False)).reason.startswith(
                "broker refused user 'lift': not authorised (wrong password"
            )
            assert not source.source.health().ok
        async with running(settings_for(f"mqtt://lift:right@{place}", version)) as source:
            await source.link(up=True)
            assert source.source.health().words.startswith(f"connected to mqtt://{place} by MQTT {version}")


async def test_tls_with_a_client_certificate(tmp_path: Path, authority: Authority, version: Version) -> None:
    with Mosquitto(tmp_path, _tls_lines(authority)) as broker:
        settings = settings_for(
            f"mqtts://localhost:{broker.port}",
            version,
            ca_file=authority.ca,
            cert_file=authority.client,
            key_file=authority.client_key,
        )
        async with running(settings) as source:
            await source.link(up=True)
            await publish_over_tls(broker, authority)
            assert await source.take(1) == [b"sealed"]


async def test_a_broker_that_asks_for_a_certificate_is_understood(
    tmp_path: Path, authority: Authority, version: Version
) -> None:
    with Mosquitto(tmp_path, _tls_lines(authority)) as broker:
        settings = settings_for(f"mqtts://localhost:{broker.port}", version, ca_file=authority.ca)
        async with running(settings) as source:
            assert "certificate" in (await source.link(up=False)).reason


async def test_a_broker_of_another_authority_is_not_trusted(
    tmp_path: Path, authority: Authority, version: Version
) -> None:
    stranger = make_authority(tmp_path / "stranger")
    with Mosquitto(tmp_path / "broker", _tls_lines(authority)) as broker:
        async with running(
            settings_for(f"mqtts://localhost:{broker.port}", version, ca_file=stranger.ca)
        ) as source:
            reason = (await source.link(up=False)).reason
            assert reason.startswith(
                f"the certificate of the broker at localhost:{broker.port} is not trusted: "
            )


async def test_a_broker_that_comes_later_is_found(tmp_path: Path, version: Version) -> None:
    broker = Mosquitto(tmp_path, port=free_port())
    async with running(settings_for(broker.url, version)) as source:
        reason = (await source.link(up=False)).reason
        assert reason == f"no broker listens at 127.0.0.1:{broker.port} (connection refused)"
        with broker:
            await source.link(up=True)
            assert source.items == [Link(up=False, reason=reason), Link(up=True)]


async def test_a_name_that_does_not_exist_is_said(version: Version) -> None:
    async with running(settings_for("mqtt://broker.invalid", version)) as source:
        assert (
            "the name of the broker, 'broker.invalid', cannot be resolved"
            in (await source.link(up=False)).reason
        )


async def test_a_name_that_cannot_exist_is_said(version: Version) -> None:
    async with running(settings_for(f"mqtt://{'x' * 70}.example", version)) as source:
        assert "failed: " in (await source.link(up=False)).reason


async def test_a_broker_that_hangs_is_given_up(broker: Mosquitto, version: Version) -> None:
    async with running(settings_for(broker.url, version, keep_alive=1)) as source:
        await source.link(up=True)
        broker.freeze()
        assert (
            await source.link(up=False)
        ).reason == f"the broker at 127.0.0.1:{broker.port} has stopped answering"
        broker.thaw()
        await source.link(up=True)


async def test_a_quiet_connection_is_kept_alive(broker: Mosquitto, version: Version) -> None:
    async with running(settings_for(broker.url, version, keep_alive=1)) as source:
        await source.link(up=True)
        with pytest.raises(TimeoutError):
            # The broker ends a connection that is silent for one and a half times the keep-alive.
            await asyncio.wait_for(source.link(up=False), 2.5)


async def test_a_thousand_messages_of_64_kib(tmp_path: Path, version: Version) -> None:
    payloads = [b"%6d" % number + bytes(65_530) for number in range(1000)]
    with Mosquitto(tmp_path, {"persistence": "false"}) as broker:
        async with running(settings_for(broker.url, version)) as source:
            await source.link(up=True)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(publish(broker, payloads))
                tasks.create_task(source.take(1000, limit=100, ack=True))
            assert source.payloads == payloads


async def test_reading_pauses_while_too_much_is_waiting(broker: Mosquitto, version: Version) -> None:
    settings = settings_for(broker.url, version)
    source = connect_source(settings)
    inbox = Inbox(most_messages=50)
    for dialect in source._dialects:
        dialect._inbox = inbox  # type: ignore[attr-defined]
    async with running(settings, MqttSource(settings, inbox, source._subscriptions, source._dialects)) as run:
        await run.link(up=True)
        await publish(broker, numbered(5_000), qos=0)
        await eventually(lambda: inbox.crowded)
        assert f"{len(inbox.items)} messages wait" in run.source.health().words
        assert len(inbox.items) < 5_000
        assert await run.take(5_000, limit=10) == numbered(5_000)
        assert not inbox.crowded


async def test_two_gateways_with_one_client_id_find_out(broker: Mosquitto, version: Version) -> None:
    settings = settings_for(broker.url, version)
    async with running(settings) as first, running(settings) as second:
        # Mosquitto 2.0.11 does not say why it closes a connection that was taken over, so each has to guess.
        await asyncio.gather(_until_suspicious(first), _until_suspicious(second))


async def _until_suspicious(source: Running) -> None:
    await source.until(
        lambda: any("another client uses the client id 'gw'" in link.reason for link in source.links)
    )


async def publish_over_tls(broker: Mosquitto, authority: Authority) -> None:
    context = ssl.create_default_context(cafile=authority.ca)
    context.load_cert_chain(authority.client, authority.client_key)
    async with aiomqtt.Client("localhost", broker.port, tls_context=context) as client:
        await client.publish("facility/x", b"sealed", qos=1)


def _tls_lines(authority: Authority) -> dict[str, str | None]:
    return {
        "require_certificate": "true",
        "cafile": str(authority.ca),
        "certfile": str(authority.broker),
        "keyfile": str(authority.broker_key),
    }
