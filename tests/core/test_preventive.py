# ruff: noqa: DTZ001 - wall times carry no zone
"""Whatever happens to the gateway, each due time has its order or is told as missed, once."""

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.effects import Outcome
from gateway.core.engine import Engine
from gateway.core.inputs import Command, Configured, Input, LinkUp, Started, Tick
from gateway.core.local_time import instant
from gateway.core.order_state import OrderState, WorkOrder
from gateway.core.plan import SitePlan
from gateway.core.preventive import TOLD_MOST
from gateway.core.recurrence import Recurrence
from gateway.core.state import State
from gateway.core.values import DAY, HOUR, MINUTE, Millis
from gateway.site import SiteBundle, build_plan
from tests.core.shadow import Shadow

BERLIN = ZoneInfo("Europe/Berlin")
START = instant(datetime(2026, 3, 27, 12), BERLIN)
SITE: dict[str, Any] = {
    "site": "mill",
    "timezone": "Europe/Berlin",
    "profiles": ["thing.yaml"],
    "devices": [{"id": "d1", "profile": "thing"}, {"id": "d2", "profile": "thing"}],
    "work_orders": {"inspect": {"clocks": {"resolve": "3h"}}},
    "preventive": {
        "nightly": {
            "template": "inspect",
            "kinds": ["thing"],
            "every": "FREQ=DAILY",
            "start": "2026-03-01 02:30",
        },
        "ahead": {
            "template": "inspect",
            "every": "FREQ=HOURLY;INTERVAL=8",
            "start": "2026-03-28 06:00",
            "lead": "20h",
        },
        "after": {
            "template": "inspect",
            "devices": ["d1"],
            "every": "FREQ=HOURLY;INTERVAL=9",
            "start": "2026-03-27 15:00",
            "from": "completion",
            "lead": "2h",
        },
    },
}
THING = {"profile": "thing", "report_every": "10s", "points": {"temp": {"type": "float"}}}


def plan_of(site: dict[str, Any]) -> SitePlan:
    texts = {"site.yaml": yaml.safe_dump(site), "thing.yaml": yaml.safe_dump(THING)}
    return build_plan(SiteBundle("site.yaml", texts))


PLAN = plan_of(SITE)
ONE_DEVICE = plan_of({**SITE, "devices": SITE["devices"][:1]})
OTHER_RULE = plan_of(
    {
        **SITE,
        "preventive": {
            **SITE["preventive"],
            "nightly": {**SITE["preventive"]["nightly"], "every": "FREQ=HOURLY"},
        },
    }
)


class House:
    """An engine, what a disk would have kept of it, and everything that came of it."""

    def __init__(self, plan: SitePlan = PLAN) -> None:
        self.now = START
        self.engine = Engine(plan, State())
        self.disk = Shadow()
        self.outcomes: list[Outcome] = []
        self.orders: dict[str, WorkOrder] = {}
        self.feed(Started(START, None), LinkUp(START))

    def feed(self, *inputs: Input) -> None:
        effects = self.engine.step(inputs)
        self.disk.commit(effects, self.engine.state)
        self.outcomes.extend(effects.outcomes)
        self.orders |= effects.orders

    def wait(self, length: Millis) -> None:
        self.now += length
        self.feed(Tick(self.now))

    def fall(self, down: Millis) -> None:
        """The process ends; after a while it is there again with what was on disk."""
        last = self.now
        self.now += down
        self.reload()
        self.feed(Started(self.now, last), LinkUp(self.now))

    def reload(self) -> None:
        self.engine = Engine(self.engine.plan, self.disk.load())

    def configure(self, plan: SitePlan) -> None:
        self.feed(Configured(self.now, plan))

    def move(self, which: int, target: OrderState) -> None:
        if names := sorted(self.engine.state.orders):
            name = names[which % len(names)]
            args = {"to": str(target), "reason": "no need"}
            self.feed(
                Command(
                    at=self.now,
                    id=f"c{len(self.outcomes)}-{self.now}",
                    actor="anna",
                    verb="work_order.move",
                    target=name,
                    args={**args},
                    expect=None,
                )
            )

    def dealt_with(self, item: str, device: str | None) -> list[tuple[str, str]]:
        return [
            (one.kind, str(one.detail["due"]))
            for one in self.outcomes
            if one.device == device and item in (one.detail.get("preventive"), one.detail.get("item"))
            if one.kind in ("work_order.opened", "preventive.missed")
        ]


WAITS = st.builds(lambda length: ("wait", length), st.integers(1, 30 * HOUR))
STEPS = st.one_of(
    WAITS,
    st.builds(lambda length: ("fall", length), st.integers(0, 60 * HOUR)),
    st.just(("reload",)),
    st.builds(
        lambda which, to: ("move", which, to),
        st.integers(0, 20),
        st.sampled_from([OrderState.IN_PROGRESS, OrderState.DONE, OrderState.CANCELLED, OrderState.CLOSED]),
    ),
)


def live(house: House, steps: list[tuple[object, ...]]) -> None:
    for name, *arguments in steps:
        getattr(house, str(name))(*arguments)


def dues(rule: Recurrence, since: Millis, until: Millis) -> list[str]:
    found: list[str] = []
    while (due := rule.after(since)) is not None and due.at <= until:
        found.append(due.key)
        since = due.at
    return found


@settings(deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_each_due_time_has_one_order_or_is_told_as_missed(steps: list[tuple[object, ...]]) -> None:
    house = House()
    live(house, steps)
    for item, device in (("nightly", "d1"), ("nightly", "d2"), ("ahead", None)):
        due = PLAN.preventive[item]
        found = house.dealt_with(item, device)
        assert [key for _, key in found] == dues(due.recurrence, START, house.now + due.lead)
    opened = Counter(one.subject for one in house.outcomes if one.kind == "work_order.opened")
    assert set(opened.values()) <= {1}
    assert {one.kind for one in house.outcomes if one.detail.get("item") == "after"} == set()


@settings(deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_what_counts_from_completion_has_one_open_order_at_a_time(steps: list[tuple[object, ...]]) -> None:
    house = House()
    live(house, steps)
    mine = [
        one
        for one in house.outcomes
        if one.kind == "work_order.opened" and one.detail.get("preventive") == "after"
    ]
    assert len(mine) >= (house.now >= instant(datetime(2026, 3, 27, 13), BERLIN))
    assert all("predecessor" not in one.detail for one in mine)


@settings(deadline=None)
@given(st.lists(STEPS, max_size=15), st.integers(1, 9))
def test_ticks_and_reloads_in_between_change_nothing(steps: list[tuple[object, ...]], parts: int) -> None:
    plain, busy = House(), House()
    for name, *arguments in steps:
        getattr(plain, str(name))(*arguments)
        if name == "wait":
            before, (length,) = busy.now, arguments
            assert isinstance(length, int)
            for part in range(1, parts + 1):
                busy.now = before + length * part // parts
                busy.feed(Tick(busy.now))
                busy.reload()
        else:
            getattr(busy, str(name))(*arguments)
    assert busy.outcomes == plain.outcomes
    assert busy.orders == plain.orders


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            STEPS, st.sampled_from([PLAN, ONE_DEVICE, OTHER_RULE]).map(lambda plan: ("configure", plan))
        ),
        max_size=25,
    )
)
def test_whatever_plan_comes_no_due_time_has_two_orders(steps: list[tuple[object, ...]]) -> None:
    house = House()
    live(house, steps)
    for item, device in (("nightly", "d1"), ("nightly", "d2"), ("ahead", None), ("after", "d1")):
        found = Counter(key for _, key in house.dealt_with(item, device))
        assert set(found.values()) <= {1}


def test_a_long_absence_is_told_without_end() -> None:
    quarters = replace(
        PLAN.preventive["ahead"],
        lead=0,
        recurrence=Recurrence(rule="FREQ=MINUTELY;INTERVAL=15", start=datetime(2026, 3, 1), zone=BERLIN),
    )
    house = House(replace(PLAN, preventive={"ahead": quarters}))
    house.fall(30 * DAY + MINUTE)
    missed = [one for one in house.outcomes if one.kind == "preventive.missed"]
    assert len(missed) == TOLD_MOST
    opened = [one for one in house.outcomes if one.kind == "work_order.opened"]
    assert len(opened) == 1
    passed = dues(quarters.recurrence, START, house.now)
    assert missed[-1].detail["more"] == len(passed) - TOLD_MOST - 1
    assert opened[0].detail["due"] == passed[-1]


def test_the_same_due_time_moved_by_other_rules_of_the_clock_is_not_dealt_with_again() -> None:
    house = House()
    house.wait(20 * HOUR)
    before = house.dealt_with("nightly", "d1")
    assert before == [("work_order.opened", "2026-03-28T02:30")]
    west = Recurrence(rule="FREQ=DAILY", start=datetime(2026, 3, 1, 2, 30), zone=ZoneInfo("Atlantic/Azores"))
    item = replace(PLAN.preventive["nightly"], recurrence=west)
    house = House()
    house.wait(15 * HOUR - 30 * MINUTE)
    house.configure(replace(PLAN, preventive={**PLAN.preventive, "nightly": item}))
    house.wait(5 * HOUR)
    assert house.dealt_with("nightly", "d1") == before
