"""A small site with patrol, and rounds and proofs of October 2026 made by hand."""

from zoneinfo import ZoneInfo

from gateway.core.local_time import wall_time
from gateway.core.patrol.memory import Oddity, Round, RoundState, RoundStop, StopOutcome, TapRecord, Visit
from gateway.core.patrol.routes import Coverage, Guard, Patrol, Route, Stop
from gateway.core.places import Building, Checkpoint, Floor
from gateway.core.plan import SitePlan
from gateway.core.values import DAY, HOUR, MINUTE, Millis, Title
from gateway.reports.patrol_figures import Evidence, Proof, month_span

ZONE = "Asia/Shanghai"
OCTOBER = month_span("2026-10", ZONE)
HOSTILE = "=cmd|' /C calc'!A0 <script>alert(1)</script>"


def site(**changes: object) -> SitePlan:
    """Two routes over three checkpoints, of which the last is on neither; the gate at least every four hours."""
    titles = {"gate": ("Gate", "大门岗"), "pump": (HOSTILE, HOSTILE), "roof": ("Roof", "屋面")}
    building = Building(
        id="t1",
        title=Title("Tower 1", "一号楼"),
        floors={"b2": Floor(id="b2", title=Title("B2", "地下二层"))},
    )
    given: dict[str, object] = {
        "site": "riverside",
        "title": Title("Riverside Plaza", "滨江广场"),
        "timezone": ZONE,
        "digest": "d1",
        "devices": {},
        "templates": {},
        "teams": {},
        "buildings": {"t1": building},
        "checkpoints": {
            name: Checkpoint(id=name, title=Title(*title), building="t1", floor="b2")
            for name, title in titles.items()
        },
        "routes": {
            "night": Route(
                id="night",
                title=Title("Night", "夜间路线"),
                stops=(Stop(checkpoint="gate"), Stop(checkpoint="pump")),
            ),
            "day": Route(id="day", title=Title("Day", "日间路线"), stops=(Stop(checkpoint="gate"),)),
        },
        "patrol": Patrol(
            guards={"g1": Guard(id="g1", title=Title("Wang", "王"))},
            coverage={
                "gate": Coverage(
                    name="gate", title=Title("Gate", "大门"), checkpoints=("gate",), every=4 * HOUR
                )
            },
        ),
    }
    return SitePlan(**{**given, **changes})  # type: ignore[arg-type]


def walk(
    start: Millis, result: str, *outcomes: StopOutcome, route: str = "night", date: str = "", **more: object
) -> Round:
    """A round of one hour whose stops are those of its outcomes, extra taps aside."""
    local = wall_time(start, ZoneInfo(ZONE))
    end = start + HOUR
    given: dict[str, object] = {
        "id": f"rd-{route}-{start}",
        "route": route,
        "date": date or local.date().isoformat(),
        "key": local.isoformat(timespec="minutes"),
        "start": start,
        "end": end,
        "opens_at": start,
        "judge_at": end,
        "close_at": end + DAY,
        "order": "strict",
        "stops": [RoundStop(one.checkpoint, start, end) for one in outcomes if one.word != "extra"],
        "outcomes": list(outcomes),
        "state": RoundState.CLOSED,
        "result": result,
    }
    return Round(**{**given, **more})  # type: ignore[arg-type]


def became(checkpoint: str, word: str, ts: Millis | None = None, **more: object) -> StopOutcome:
    return StopOutcome(checkpoint=checkpoint, word=word, ts=ts, **more)  # type: ignore[arg-type]


def tap(name: str, ts: Millis, *flags: str, counted: bool = False, review: str | None = None) -> TapRecord:
    return TapRecord(
        id=name,
        key=name,
        source="phone",
        received=ts,
        ts=ts,
        claimed=ts,
        guard="g1",
        checkpoint="gate",
        counted=counted,
        flags=list(flags),
        review=review,
    )


def day(number: int, hour: int = 0) -> Millis:
    """An hour of a day of October, local time."""
    return OCTOBER.start + (number - 1) * DAY + hour * HOUR


def evidence() -> Evidence:
    """Seven rounds and what belongs to them; the counts are worked out in the tests by hand."""
    late = day(2, 23)
    rounds = [
        walk(day(1), "complete", became("gate", "on_time", day(1)), became("pump", "early", day(1) - MINUTE)),
        walk(
            day(2),
            "incomplete",
            became("gate", "late", day(2) + 67 * MINUTE),
            became("pump", "missed", reason="one_person", provisional=True),
            became("gate", "extra", day(2) + 70 * MINUTE),
        ),
        walk(
            late,
            "doubtful",
            became("gate", "late_upload", late, tap="t9"),
            became("pump", "skipped", reason=HOSTILE),
            visits=[Visit("t9", "gate", late, late + 2 * HOUR, "phone")],
            oddities=[Oddity("too_fast", "pump", late + MINUTE, took=4_000, limit=20_000)],
        ),
        walk(day(4), "unknown", became("gate", "unknown"), became("pump", "made_up", day(4))),
        walk(day(5), "cancelled", became("gate", "missed"), became("pump", "on_time", day(5))),
        walk(day(6), "pending", became("gate", "pending"), became("pump", "on_time", day(6))),
        walk(day(7), "complete", became("gate", "on_time", day(7)), route="gone"),
    ]
    proofs = [
        Proof("gate", OCTOBER.start - HOUR, OCTOBER.start - HOUR, "A", True),
        Proof("gate", day(1, 2), day(1, 2), "A", True),
        Proof("gate", day(1, 5), day(1, 5) + MINUTE, "B", True),
        Proof("gate", day(1, 8), day(1, 8), "C", False),
        Proof("gate", day(1, 11), day(1, 11) + MINUTE + 1, "B", True),
        Proof("pump", day(3), day(3), "D", True),
    ]
    taps = [
        tap("x1", day(1), "clock_wrong", "forged", "too_late"),
        tap("x2", day(2), "late_upload", counted=True, review="pending"),
        tap("x3", day(3), counted=True),
        tap("x4", day(4)),
        tap("x5", OCTOBER.end, "forged"),
        tap("x6", OCTOBER.start - DAY, "forged", review="pending"),
    ]
    return Evidence(rounds=rounds, proofs=proofs, taps=taps, unobserved=[(day(1, 4), day(1, 6))])
