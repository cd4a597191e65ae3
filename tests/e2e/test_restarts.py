"""The gateway is killed while people act and devices report: what was answered is done, once, and the journal agrees."""

import asyncio
import itertools
import random
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec

from gateway.adapters.sql.store import opened
from tests.e2e.conftest import StartGateway
from tests.e2e.ending import finish
from tests.e2e.mill import DEVICES, Stream, now, write_site
from tests.e2e.process import GatewayProcess
from tests.e2e.publisher import Publisher
from tests.e2e.replay import replay
from tests.e2e.test_journal import records
from tests.servers.mosquitto import Mosquitto

KILLS = 3
OK = 200
TOLD = {
    "ack": "alert.acknowledged",
    "assign": "alert.assigned",
    "comment": "alert.commented",
    "shelve": "alert.shelved",
    "unshelve": "alert.unshelved",
    "out-of-service": "alert.out_of_service",
    "in-service": "alert.in_service",
}
"""What the history says of each act."""


class Done(NamedTuple):
    """An act that was answered."""

    actor: str
    """Somebody new for each act, so that the history can be asked for it."""
    verb: str
    status: int


class Crew:
    """People who act without a break; an act that was not answered is asked for again, as a careful client does.

    Args:
        gateway: where they ask.
        chance: what they do.
    """

    def __init__(self, gateway: GatewayProcess, chance: random.Random) -> None:
        self.done: list[Done] = []
        self._gateway, self._chance = gateway, chance
        self._numbers = itertools.count()

    async def work(self) -> None:
        """Until cancelled."""
        async with httpx.AsyncClient(base_url=f"http://{self._gateway.http}/api/v1", timeout=30) as http:
            while True:
                listed = await self._sent(http, "GET", "/alerts?live=true&limit=50")
                await self._act(http, [one["id"] for one in listed.json()["items"]])

    async def acted(self, times: int) -> None:
        """Return once they have done so much more."""
        wanted = len(self.done) + times
        await self._gateway.until(lambda: len(self.done) >= wanted, "people to act")

    async def _act(self, http: httpx.AsyncClient, alerts: list[str]) -> None:
        verb = self._chance.choice([*TOLD] if alerts else ["out-of-service", "in-service"])
        place = f"/devices/{self._chance.choice(DEVICES)}/rules/hot"
        if not verb.endswith("-service"):
            place = f"/alerts/{self._chance.choice(alerts)}"
        actor = f"person-{next(self._numbers)}"
        answer = await self._sent(http, "POST", f"{place}/{verb}", actor, self._body(verb))
        self.done.append(Done(actor, verb, answer.status_code))

    def _body(self, verb: str) -> dict[str, Any]:
        match verb:
            case "assign":
                return {"assignee": self._chance.choice(["li", "wang"])}
            case "comment":
                return {"text": "on my way"}
            case "shelve" if self._chance.random() < 0.5:
                return {"why": "works", "one_shot": True}
            case "shelve":
                return {"why": "works", "until": now() + self._chance.randrange(1_000, 3_000)}
            case "out-of-service":
                return {"why": "works"}
            case _:
                return {}

    async def _sent(
        self,
        http: httpx.AsyncClient,
        method: str,
        path: str,
        actor: str = "",
        body: dict[str, Any] | None = None,
    ) -> httpx.Response:
        headers = {"X-Actor": actor, "Idempotency-Key": actor} if actor else {}
        while True:
            try:
                answer = await http.request(method, path, json=body, headers=headers)
            except httpx.TransportError:
                await asyncio.sleep(0.01)  # it is being started again
                continue
            if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                return answer


async def test_killed_again_and_again_while_people_act_and_devices_report(
    tmp_path: Path, broker: Mosquitto, publisher: Publisher, gateway_of: StartGateway
) -> None:
    chance, stream = random.Random(51), Stream(3_000, seed=51)
    gateway = gateway_of(write_site(tmp_path), broker.url).start()
    await gateway.watching()
    crew = Crew(gateway, chance)
    working = asyncio.create_task(crew.work(), name="the crew")
    *parts, rest = stream.cut(KILLS + 1, chance)
    for part in parts:
        publishing = asyncio.create_task(publisher.publish(part), name="a part of the stream")
        await crew.acted(chance.randrange(8, 20))
        gateway.kill()
        gateway.start()
        await publishing
    await publisher.publish(rest)
    await gateway.watching()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await finish(gateway, publisher)
    check_acts(gateway, crew)
    await check_journal(gateway)


def check_acts(gateway: GatewayProcess, crew: Crew) -> None:
    """What was answered with yes is in the history once, and nothing of what was answered with no."""
    outcomes = gateway.kept.outcomes("alert.")
    found = Counter((one.actor, one.kind) for one in outcomes if (one.actor or "").startswith("person-"))
    answered = {one.actor for one in crew.done}
    expected = {(one.actor, TOLD[one.verb]): 1 for one in crew.done if one.status == OK}
    assert {key: times for key, times in found.items() if key[0] in answered} == expected
    assert len(expected) >= 4 * KILLS, Counter((one.verb, one.status) for one in crew.done)
    refused = {one.verb for one in crew.done if one.status not in (OK, 404, 409)}
    assert refused <= {"shelve"}, "only a shelf whose end passed while the gateway was down is refused"
    assert all(not one.detail.get("announced") for one in outcomes if one.detail.get("suppressed"))


async def check_journal(gateway: GatewayProcess) -> None:
    """The records and the history are those of an engine that nobody disturbed, fed with the same inputs."""
    outcomes, state = replay(gateway.data)
    assert [msgspec.json.encode(one) for one in outcomes] == [
        body for (body,) in gateway.kept.rows("SELECT body FROM outcome ORDER BY seq")
    ]
    async with opened(gateway.data) as store:
        assert records(state) == records((await store.load()).state)
    assert len([one for one in outcomes if one.kind == "gateway.started"]) == KILLS + 1
