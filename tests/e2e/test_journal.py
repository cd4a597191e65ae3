"""The journal of a run, fed to a fresh engine, tells the same story: also of a run that was killed and reconfigured."""

import asyncio
import random
from collections.abc import Mapping
from pathlib import Path

import msgspec

from gateway.adapters.sql.store import opened
from gateway.core.state import State
from tests.e2e.conftest import StartGateway
from tests.e2e.ending import caught_up, finish
from tests.e2e.mill import Stream, now, topic, write_site
from tests.e2e.publisher import Publisher
from tests.e2e.replay import replay
from tests.servers.mosquitto import Mosquitto

pack = msgspec.msgpack.Encoder(order="deterministic").encode


async def test_the_journal_gives_the_outcomes_and_records_of_the_run_itself(
    tmp_path: Path, broker: Mosquitto, publisher: Publisher, gateway_of: StartGateway
) -> None:
    site, stream = write_site(tmp_path), Stream(4_000, seed=41)
    profile = tmp_path / "press.yaml"
    chance = random.Random(41)
    gateway = gateway_of(site, broker.url, mqtt_version="3.1.1").start()
    await gateway.watching()
    one, two, three, four = stream.cut(4, chance)
    await publisher.publish(one)

    before = gateway.kept.inputs
    publishing = asyncio.create_task(publisher.publish(two), name="the second part")
    await gateway.until(lambda: gateway.kept.inputs > before, "a part of it to be committed")
    gateway.kill()
    gateway.start()
    await publishing

    await publisher.publish(
        [(topic("press-2"), b'{"values":{"temp":20.5,"pressure":2}}'), (topic("nobody"), b"{}")]
    )
    await caught_up(gateway, publisher, "first rules")
    (alert,) = [alert for alert in gateway.kept.alerts() if alert.rule == "stopped"][:1]
    assert gateway.post(f"/alerts/{alert.id}/ack").status_code == 200
    assert gateway.post(f"/alerts/{alert.id}/ack").status_code == 409
    refused = [
        number for (number,) in gateway.kept.rows("SELECT id FROM quarantine WHERE device = 'press-2'")
    ]
    text = profile.read_text()
    profile.write_text(
        text.replace("above: 80", "above: 75").replace("points:", "points:\n  pressure: {type: int}")
    )
    assert gateway.post("/reload").status_code == 200
    (retried,) = gateway.post("/quarantine/retry", {"ids": refused}).json()
    assert retried["accepted"], retried
    await publisher.publish(three)
    gateway.kill()
    gateway.start()
    await publisher.publish(four)
    await finish(gateway, publisher)

    outcomes, state = replay(gateway.data)
    assert [msgspec.json.encode(one) for one in outcomes] == [
        body for (body,) in gateway.kept.rows("SELECT body FROM outcome ORDER BY seq")
    ]
    async with opened(gateway.data) as store:
        kept = (await store.load()).state
    assert records(state) == records(kept)
    assert len([one for one in outcomes if one.kind == "gateway.started"]) == 3
    assert now() - outcomes[-1].at < 600_000


def records(state: State) -> dict[str, dict[str, bytes]]:
    """Devices, alerts and work orders as they would be written."""
    parts: dict[str, Mapping[str, object]] = {
        "devices": state.devices,
        "alerts": state.alerts,
        "orders": state.orders,
    }
    return {name: {key: pack(one) for key, one in part.items()} for name, part in parts.items()}
