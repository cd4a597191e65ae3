"""A small site with a patrol, and what guards with honest and dishonest phones may do there."""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import yaml
from hypothesis import strategies as st

from gateway.core.effects import Outcome
from gateway.core.engine import Engine
from gateway.core.inputs import Command, Input, LinkUp, Started, Tap, Tick
from gateway.core.patrol.memory import KNOWN_KEPT, TAPS_KEPT, Round, TapRecord
from gateway.core.plan import SitePlan
from gateway.core.state import State
from gateway.core.values import HOUR, MINUTE, SECOND, Json, Millis, Seal
from gateway.site import SiteBundle, build_plan
from gateway.site.bundle import internal_profiles

START: Millis = 1_790_000_000_000  # 2026-09-21 22:13:20 in Shanghai
BEGIN: Millis = START + 46 * MINUTE + 40 * SECOND
"""23:00: the first round."""
TAGS = {"gate": "04000001", "boiler": "04000002", "roof": "04000003", "pump": "04000004"}
SECURE = ("boiler", "roof")

SITE: dict[str, Any] = {
    "site": "mill",
    "timezone": "Asia/Shanghai",
    "settings": {"boot_grace": "1m"},
    "profiles": ["thing.yaml"],
    "devices": [{"id": "d1", "profile": "thing"}],
    "guards": {"g-1": {}, "g-2": {}},
    "checkpoints": [
        {"id": name, "tags": [{"id": tag, "secure": name in SECURE}]} for name, tag in TAGS.items()
    ],
    "routes": [
        {
            "id": "night",
            "checkpoints": [*TAGS],
            "every": "FREQ=HOURLY",
            "start": "2026-09-21 23:00",
            "lasts": "40m",
            "early": "5m",
            "grace": "10m",
            "late_upload": "2h",
            "leg": ["30s", "10m"],
        },
        {
            "id": "pairs",
            "order": "any",
            "checkpoints": ["gate", "pump"],
            "every": "FREQ=HOURLY;INTERVAL=2",
            "start": "2026-09-21 23:00",
            "lasts": "1h",
            "grace": "10m",
            "persons": 2,
            "guards": ["g-1", "g-2"],
        },
    ],
    "patrol": {"coverage": {"all": {"every": "90m", "grave": "3h"}}},
}
PROFILE = {"profile": "thing", "report_every": "1h"}


def plan(**changes: Json) -> SitePlan:
    """The site, with sections replaced."""
    texts = {"site.yaml": yaml.safe_dump({**SITE, **changes}), "thing.yaml": yaml.safe_dump(PROFILE)}
    return build_plan(SiteBundle("site.yaml", {**internal_profiles(), **texts}))


PLAN = plan()


class Made(NamedTuple):
    """A tap as it was really made."""

    id: str
    phone: str
    guard: str
    checkpoint: str
    at: Millis
    counter: int
    replay: bool = False


class Upload(NamedTuple):
    """When the gateway gets which tap."""

    at: Millis
    tap: Made


SKEWS = {"p1": 0, "p2": -2 * HOUR, "p3": 9 * MINUTE}
"""How wrong the clock of each phone is."""


@st.composite
def nights(draw: st.DrawFn) -> list[Made]:
    """Taps of some hours, honest ones with rising counters, a few sent again later from another phone."""
    count = draw(st.integers(0, 14))
    moments = sorted(draw(st.lists(st.integers(0, 150 * 60), min_size=count, max_size=count, unique=True)))
    counters = dict.fromkeys(TAGS, 10)
    taps: list[Made] = []
    for number, second in enumerate(moments):
        name = draw(st.sampled_from(sorted(TAGS)))
        counters[name] += draw(st.integers(1, 3))
        guard, phone = draw(st.sampled_from((("g-1", "p1"), ("g-2", "p2"), ("g-2", "p3"))))
        at = BEGIN - 10 * MINUTE + second * SECOND
        taps.append(Made(f"t{number}", phone, guard, name, at, counters[name]))
    for number, old in enumerate(draw(st.lists(st.sampled_from(taps), max_size=2)) if taps else ()):
        later = min(old.at + draw(st.integers(1, 3600)) * SECOND, BEGIN + 3 * HOUR)
        taps.append(Made(f"r{number}", "p3", "g-2", old.checkpoint, later, old.counter, replay=True))
    return sorted(taps, key=lambda tap: (tap.at, tap.id))


def inputs(uploads: list[Upload]) -> list[Tap]:
    """What the gateway receives. Each phone says truthfully what it still holds."""
    found: list[Tap] = []
    sent: set[str] = set()
    for at, tap in uploads:
        sent.add(tap.id)
        held = sum(
            one.phone == tap.phone and one.at <= at and one.id not in sent
            for one in (each.tap for each in uploads)
        )
        uid = TAGS[tap.checkpoint]
        seal = Seal("good", uid, tap.counter) if tap.checkpoint in SECURE else None
        skew = SKEWS[tap.phone]
        found.append(
            Tap(
                at=at,
                id=tap.id,
                source=tap.phone,
                ts=tap.at + skew,
                sent=at + skew,
                guard=tap.guard,
                tag=None if seal else uid,
                url=f"https://x/{uid}/{tap.counter}" if seal else None,
                seal=seal,
                queued=held,
            )
        )
    return found


class Told(NamedTuple):
    """What came of it."""

    rounds: dict[str, Round]
    taps: dict[str, TapRecord]
    outcomes: list[Outcome]


def reports(end: Millis) -> list[Command]:
    """Each phone is heard when a round is over, and does not say whether it holds something back."""
    moments = range(BEGIN + 50 * MINUTE, end, HOUR)
    return [
        Command(at=at, id=f"{phone}@{at}", actor="phone", verb="source.report", target=phone, args={})
        for at in moments
        for phone in SKEWS
    ]


def unmoved(engine: Engine, _at: Millis) -> Engine:
    """Nothing happens between two inputs."""
    return engine


def restarted(engine: Engine, _at: Millis) -> Engine:
    """The memory goes to disk and back, with the taps in the order in which the disk gives them."""
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(engine.state), type=State)
    patrol, now = state.patrol, state.scalars.now
    kept = [one for one in patrol.taps.values() if one.received > now - TAPS_KEPT or one.review == "pending"]
    patrol.taps = {one.id: one for one in sorted(kept, key=lambda one: (one.received, one.id))}
    known = sorted(patrol.known.items(), key=lambda item: (item[1][0], item[0]))
    patrol.known = {name: one for name, one in known if one[0] > now - KNOWN_KEPT}
    patrol.rounds = dict(sorted(patrol.rounds.items()))
    return Engine(engine.plan, state)


def tell(
    taps: list[Tap],
    end: Millis,
    of: SitePlan = PLAN,
    between: Callable[[Engine, Millis], Engine] = unmoved,
    ticks: int = 0,
) -> Told:
    """Let the engine handle them, up to an end.

    Args:
        taps: in any order.
        end: when the story is over.
        of: the site.
        between: what happens to the engine before each input.
        ticks: how often the clock ticks between two inputs.
    """
    engine = Engine(of, State())
    told = Told({}, {}, [])
    now = START
    both: list[Input] = [*taps, *reports(end)]
    steps: list[Input] = [
        Started(START, None),
        LinkUp(START),
        *sorted(both, key=lambda one: one.at),
        Tick(end),
    ]
    for one in steps:
        gap = one.at - now
        extra = [Tick(now + gap * part // (ticks + 1)) for part in range(1, ticks + 1)]
        for each in (*extra, one):
            engine = between(engine, each.at)
            effects = engine.step([each])
            told.rounds.update(copy.deepcopy(effects.rounds))
            told.taps.update({record.key: copy.deepcopy(record) for record in effects.taps.values()})
            told.outcomes.extend(effects.outcomes)
        now = one.at
    return told
