"""What a wrong profile refused goes in once the profile was put right."""

from pathlib import Path

from gateway.ports import Query
from tests.e2e.conftest import StartGateway
from tests.e2e.ending import caught_up, finish
from tests.e2e.mill import now, series, telemetry, topic, write_site
from tests.e2e.publisher import Publisher
from tests.e2e.readback import embedded
from tests.servers.mosquitto import Mosquitto


async def test_refused_payloads_are_taken_after_the_profile_was_put_right(
    tmp_path: Path, broker: Mosquitto, publisher: Publisher, gateway_of: StartGateway
) -> None:
    site, start = write_site(tmp_path), now() - 60_000
    gateway = gateway_of(site, broker.url).start()
    await gateway.watching()
    sent = [(start + number, number / 2) for number in range(20)]
    await publisher.publish((topic("press-3"), telemetry(ts, pressure=value)) for ts, value in sent)
    await publisher.publish([(topic("press-3"), b'{"ts": "soon", "values": {"pressure": 1}}')])
    await caught_up(gateway, publisher, "refused")
    answer = gateway.get("/api/v1/quarantine?device=press-3&limit=100")
    assert answer is not None
    listed = answer.json()["items"]
    assert len(listed) == 21
    ids = [one["id"] for one in listed]

    assert {one["words"] for one in gateway.post("/quarantine/retry", {"ids": ids}).json()} == {
        "unknown_point",
        "bad_time",
    }
    profile = tmp_path / "press.yaml"
    profile.write_text(
        profile.read_text().replace("points:", "points:\n  pressure: {type: float, unit: bar}")
    )
    assert gateway.post("/reload").status_code == 200
    retried = gateway.post("/quarantine/retry", {"ids": ids}).json()
    assert sorted(one["words"] for one in retried) == ["accepted"] * 20 + ["bad_time"]
    again = gateway.post("/quarantine/retry", {"ids": ids}).json()
    assert sorted(one["words"] for one in again) == ["bad_time"] + ["gone"] * 20
    assert gateway.kept.number("SELECT count(*) FROM quarantine") == 1
    assert gateway.kept.refused["press-3", "unknown_point"] == 20

    await finish(gateway, publisher)
    async with embedded(gateway.data) as store:
        (stored,) = await store.read(Query(series("press-3"), ["pressure"], start, start + 100, None))
        assert [tuple(sample) for sample in stored.samples] == sent
