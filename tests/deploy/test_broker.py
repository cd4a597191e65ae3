"""The broker configuration that ships, in a real Mosquitto, with two devices and the gateway's user."""

import asyncio
import contextlib
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.servers.mosquitto import DURABLE, Mosquitto

DEPLOY = Path(__file__).parents[2] / "deploy"
USERS = {"gateway": "g-secret", "lift-1": "l1-secret", "lift-2": "l2-secret"}


def shipped_lines(secrets: Path) -> dict[str, str | None]:
    """The lines of mosquitto.conf but the listener, with this test's paths in place of the image's."""
    text = (DEPLOY / "mosquitto" / "mosquitto.conf").read_text()
    text = text.replace("/mosquitto/config/acl", str(DEPLOY / "mosquitto" / "acl"))
    text = text.replace("/mosquitto/secrets", str(secrets))
    pairs = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]
    found: dict[str, str | None] = dict.fromkeys(DURABLE)
    for key, value in pairs:
        if key not in ("listener", "persistence_location"):
            found[key] = value if key not in found or found[key] is None else f"{found[key]}\n{key} {value}"
    return found


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    passwords = secrets / "passwords"
    passwords.write_text("".join(f"{name}:{secret}\n" for name, secret in USERS.items()))
    subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True)  # noqa: S607  # found on PATH
    with Mosquitto(tmp_path / "broker", shipped_lines(secrets)) as running:
        yield running


def client(broker: Mosquitto, user: str | None, **more: object) -> aiomqtt.Client:
    password = USERS.get(user) if user else None
    return aiomqtt.Client(
        "127.0.0.1",
        broker.port,
        username=user,
        password=password,
        protocol=aiomqtt.ProtocolVersion.V5,
        **more,  # type: ignore[arg-type]  # passed on as they are
    )


@pytest.fixture
async def heard(broker: Mosquitto) -> AsyncIterator[aiomqtt.Client]:
    async with client(broker, "gateway") as gateway:
        await gateway.subscribe("facility/#", qos=1)
        yield gateway


async def topics(listener: aiomqtt.Client, last: str) -> list[str]:
    """The topics that arrive, up to and with the last one."""
    found: list[str] = []
    async for message in listener.messages:
        found.append(str(message.topic))
        if found[-1] == last:
            return found
    raise AssertionError("the connection ended")


@pytest.mark.parametrize(
    "foreign",
    [
        "facility/riverside/lift-2/telemetry",
        "facility/riverside/lift-1/command",
        "facility/riverside/lift-1/telemetry/more",
        "other/riverside/lift-1/telemetry",
    ],
)
async def test_a_device_is_heard_on_its_own_topics_and_on_no_other(broker: Mosquitto, foreign: str) -> None:
    own = "facility/riverside/lift-1/telemetry"
    async with client(broker, "gateway") as listener:
        await listener.subscribe("#", qos=1)
        # Some versions of Mosquitto also break the connection off after a refusal.
        with contextlib.suppress(aiomqtt.MqttError):
            async with client(broker, "lift-1") as lift:
                await lift.publish(foreign, b"{}", qos=1)
        async with client(broker, "lift-1") as lift:
            await lift.publish(own, b"{}", qos=1)
        assert await topics(listener, own) == [own]


async def test_a_device_cannot_listen_to_another_one(broker: Mosquitto, heard: aiomqtt.Client) -> None:
    async with client(broker, "lift-1") as nosy, client(broker, "lift-2") as lift:
        await nosy.subscribe("facility/#", qos=1)
        await lift.publish("facility/riverside/lift-2/telemetry", b"{}", qos=1)
        assert await topics(heard, "facility/riverside/lift-2/telemetry")
        await heard.publish("facility/riverside/lift-2/command", b"{}", qos=1)
        await heard.publish("facility/riverside/lift-1/command", b"{}", qos=1)
        assert await topics(nosy, "facility/riverside/lift-1/command") == [
            "facility/riverside/lift-1/command"
        ]


@pytest.mark.parametrize(("user", "password"), [(None, None), ("gateway", "wrong"), ("nobody", "x")])
async def test_nobody_comes_in_without_the_right_password(
    broker: Mosquitto, user: str | None, password: str | None
) -> None:
    refused = aiomqtt.Client("127.0.0.1", broker.port, username=user, password=password)
    with pytest.raises(aiomqtt.MqttError, match=r"(?i)not authori[sz]ed"):
        async with refused:
            raise AssertionError("it was let in")


async def test_what_the_broker_acknowledged_for_an_absent_gateway_survives_a_power_cut(
    broker: Mosquitto,
) -> None:
    async with absentee(broker) as gateway:
        await gateway.subscribe("facility/#", qos=1)
    sent = 1_200  # more than the 1,000 that Mosquitto keeps when nobody tells it otherwise
    async with client(broker, "lift-1") as lift:
        for number in range(sent):
            await lift.publish("facility/riverside/lift-1/telemetry", f"number {number}.", qos=1)
    await asyncio.to_thread(until_written, broker.folder / "mosquitto.db", f"number {sent - 1}.".encode())
    broker.kill()
    broker.start()
    async with absentee(broker) as gateway:
        found: list[str] = []
        async for message in gateway.messages:
            found.append(bytes(message.payload).decode())
            if len(found) == sent:
                break
    assert found == [f"number {number}." for number in range(sent)]


def absentee(broker: Mosquitto) -> aiomqtt.Client:
    """The gateway's user with a session that outlives its connection."""
    keep = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's own
    keep.SessionExpiryInterval = 3_600
    return client(
        broker, "gateway", identifier="facility-gateway-riverside", clean_start=False, properties=keep
    )


def until_written(file: Path, words: bytes) -> None:
    """Return once the broker's database holds these words: it writes in its next turn after it has acknowledged."""
    deadline = time.monotonic() + 10
    while not (file.exists() and words in file.read_bytes()):
        assert time.monotonic() < deadline, "the broker does not write what it acknowledged"
        time.sleep(0.01)
