"""A night's patrol through a broker, over HTTP and through power cuts: one round, judged by all that came."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import msgspec
import pytest

from gateway.adapters.sql.store import opened
from gateway.core.patrol.memory import Round, TapRecord
from gateway.core.values import HOUR, Scalar, Series
from gateway.ports import Query
from tests.e2e.conftest import StartGateway
from tests.e2e.mill import now
from tests.e2e.post import GATE, MASTER, OTHER, PUMP, WALKER, Night, stored
from tests.e2e.process import GatewayProcess
from tests.e2e.publisher import Publisher
from tests.e2e.readback import influxdb
from tests.e2e.replay import replay
from tests.e2e.waiting import eventually
from tests.servers.influx import InfluxServer
from tests.servers.mosquitto import Mosquitto
from tests.servers.victoria import VictoriaServer

LIVE, TWICE, FORGED = (f"5f0e6f0a-0b6c-4c55-9c39-1f2e3d4c5b{number}" for number in ("01", "02", "03"))
"""Taps of the phone."""


class Server(NamedTuple):
    """A telemetry server."""

    url: str
    keeps_text: bool


class Guarding:
    """The gatehouse in one life of its gateway after another."""

    def __init__(self, gateway: GatewayProcess, night: Night) -> None:
        self.gateway, self.night = gateway, night
        self._ahead = 0

    async def live_at(self, minutes: int) -> None:
        """A power cut, unless this is the first life, and then a new one so many minutes after the round's begin."""
        if self.gateway.running:
            self.gateway.kill()
        self._ahead = self.night.ahead(minutes)
        self.gateway.put_clock_forward(self._ahead)
        starts = len(self.gateway.kept.outcomes("gateway.started"))
        self.gateway.start()
        await self.gateway.until(
            lambda: (
                len(self.gateway.kept.outcomes("gateway.started")) > starts and self.gateway.kept.observing
            ),
            "the gateway to be connected",
        )

    @property
    def now(self) -> int:
        """What its clock shows."""
        return now() + self._ahead

    def taps(self) -> list[TapRecord]:
        """Every tap on record, in the order they were made."""
        decode = msgspec.msgpack.Decoder(TapRecord).decode
        return [decode(body) for (body,) in self.gateway.kept.rows("SELECT body FROM tap ORDER BY ts, id")]

    def round(self) -> Round:
        """The one round there is."""
        ((body,),) = self.gateway.kept.rows("SELECT body FROM round")
        return msgspec.msgpack.decode(body, type=Round)

    def words(self) -> dict[str, str]:
        """What became of each stop; a second tap there is passed over."""
        return {one.checkpoint: one.word for one in self.round().outcomes if one.word != "extra"}

    async def heard(self, count: int) -> None:
        """Return once so many taps of readers, repeats among them, were committed."""
        query = "SELECT count(*) FROM event WHERE device = 'reader-1' AND type = 'tap'"
        await self.gateway.until(
            lambda: self.gateway.kept.number(query) >= count, f"{count} taps of the reader"
        )

    def upload(self, token: str, *taps: dict[str, object]) -> list[str]:
        """What became of each tap that the phone uploads."""
        answer = httpx.post(
            f"http://{self.gateway.http}/api/v1/taps",
            json={"device": "phone-1", "sent": self.now, "queued": 0, "taps": list(taps)},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        return [one["status"] for one in answer.json()["results"]]


@pytest.fixture(params=["influxdb", pytest.param("victoria", marks=pytest.mark.soak)])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A telemetry server of one kind or the other."""
    if request.param == "influxdb":
        influx: InfluxServer = request.getfixturevalue("influx")
        yield Server(influx.url, keeps_text=True)
        return
    victoria = VictoriaServer(tmp_path / "victoria")
    victoria.start()
    yield Server(victoria.url, keeps_text=False)
    victoria.stop()


async def walk(post: Guarding, publisher: Publisher) -> None:
    """Reader and phone walk the round; between any two steps the power fails, and much is sent again."""
    night = post.night
    await post.live_at(-15)
    token = post.gateway.post(f"/patrol/guards/{WALKER}/token").json()["token"]

    await post.live_at(2)
    gate = {"ts": night.at(1), "id": "r1", "tag": GATE, "guard": WALKER}
    await publisher.publish([stored(gate)])
    await post.heard(1)
    post.gateway.kill()
    roof = {"ts": night.at(9), "id": "r2", "url": night.tag.tap(), "guard": WALKER}
    await publisher.publish([stored(gate), stored(roof)])

    await post.live_at(10)
    await post.heard(2)
    live = {"id": LIVE, "ts": post.now, "url": night.tag.tap(), "guard": WALKER}
    assert post.upload(token, live) == ["counted"]

    await post.live_at(12)
    made_up = night.tag.tap()
    forged = made_up[:-1] + ("0" if made_up[-1] != "0" else "1")
    second = {"id": TWICE, "ts": post.now, "url": night.tag.tap(), "guard": WALKER}
    bad = {"id": FORGED, "ts": post.now - 1_000, "url": forged, "guard": OTHER}
    assert post.upload(token, live, second, second, bad) == ["duplicate", "counted", "duplicate", "kept"]

    await post.live_at(41)
    assert post.words() == {"gate": "on_time", "pump": "missed", "roof": "on_time"}
    pump = {"ts": night.at(8), "id": "r3", "tag": PUMP, "guard": WALKER, "sent": post.now, "queued": 0}
    await publisher.publish([stored(gate, pump)])
    await post.heard(3)

    await post.live_at(45)
    await publisher.publish([stored(gate, roof, pump)])
    assert post.upload(token, live, second) == ["duplicate"] * 2

    await post.live_at(102)
    await post.gateway.until(lambda: post.gateway.kept.waiting == 0, "the outbox to drain")
    assert post.gateway.stop() == 0, post.gateway.words


async def test_a_round_through_power_cuts_loses_nothing_doubles_nothing_and_names_nobody(
    tmp_path: Path, broker: Mosquitto, publisher: Publisher, gateway_of: StartGateway, server: Server
) -> None:
    night = Night()
    gateway = gateway_of(night.write(tmp_path), broker.url, tag_key=MASTER, influx_url=server.url)
    post = Guarding(gateway, night)
    await walk(post, publisher)

    assert [(tap.key, tap.checkpoint, tap.grade, tap.counted) for tap in post.taps()] == [
        ("r1", "gate", "C", True),
        ("r3", "pump", "C", True),
        ("r2", "roof", "B", True),
        (LIVE, "roof", "A", True),
        (FORGED, "roof", "D", False),
        (TWICE, "roof", "A", True),
    ]
    ended = post.round()
    assert post.words() == {"gate": "on_time", "pump": "late_upload", "roof": "on_time"}
    assert (ended.state, ended.date, len(ended.visits)) == ("closed", night.date, 6)
    assert len(gateway.kept.outcomes("tap.judged")) == 6
    assert [one.kind for one in gateway.kept.outcomes("round.")] == [
        "round.opened",
        "round.judged",
        "round.changed",
        "round.closed",
    ]
    await assert_told_again(gateway)
    await assert_stored(server, night)


async def assert_told_again(gateway: GatewayProcess) -> None:
    """The journal leads to the same outcomes and the same memory, and the replay has no key to look into a tag."""
    outcomes, state = replay(gateway.data)
    assert [msgspec.json.encode(one) for one in outcomes] == [
        body for (body,) in gateway.kept.rows("SELECT body FROM outcome ORDER BY seq")
    ]
    async with opened(gateway.data) as store:
        kept = (await store.load()).state
    assert state.patrol == kept.patrol


async def assert_stored(server: Server, night: Night) -> None:
    """Grades and results are in the telemetry store, as far as it keeps text; of guards there is nothing."""
    roof = Series("patrol_tap", (("checkpoint", "roof"), ("site", "gatehouse"), ("transition", "judged")))
    rounds = Series("patrol_round", (("route", "night"), ("site", "gatehouse"), ("transition", "closed")))
    span = (night.begin - HOUR, night.close)
    async with influxdb(server.url) as store:

        async def has_ended() -> bool:
            return bool((await store.read(Query(rounds, ["on_time"], *span, None)))[0].samples)

        await eventually(has_ended, "the end of the round in the telemetry store")
        late, counted, grade = await store.read(Query(roof, ["late_ms", "counted", "grade"], *span, None))
        found = await store.read(
            Query(rounds, ["on_time", "late_upload", "completion", "result"], *span, None)
        )
    assert [bool(one.value) for one in counted.samples] == [True, True, False, True]
    assert float(late.samples[0].value) >= 60_000
    assert [one.value for one in grade.samples] == (["B", "A", "D", "A"] if server.keeps_text else [])
    values: list[list[Scalar]] = [[one.value for one in answer.samples] for answer in found]
    assert values[:3] == [[2], [1], [1.0]]
    assert bool(values[3]) is server.keeps_text
    everything = await asyncio.to_thread(whole, server.url, span)
    assert "patrol_tap" in everything
    assert WALKER not in everything
    assert OTHER not in everything


def whole(url: str, span: tuple[int, int]) -> str:
    """All that a server has, as text; VictoriaMetrics has to be told the times."""
    start, end = (f"{moment / 1_000:.3f}" for moment in span)
    asked: list[tuple[str, dict[str, str]]] = [
        ("/query", {"db": "facility", "q": "SELECT * FROM /.*/"}),
        ("/query", {"db": "facility", "q": "SHOW SERIES"}),
        ("/api/v1/export", {"match[]": '{__name__!=""}', "start": start, "end": end}),
    ]
    return "".join(httpx.get(f"{url}{path}", params=form).text for path, form in asked)
