"""Alert quality worked out from the log of outcomes by hand: moment by moment and outcome by outcome, with nothing kept."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from hypothesis import strategies as st

from gateway.core.effects import Outcome
from gateway.core.values import MINUTE, Millis

STEP: Millis = 30_000
"""Everything in the made logs happens at a multiple of this, so that looking every step sees all there is."""
START: Millis = 1_790_000_100_000 - 1_790_000_100_000 % (10 * MINUTE)

DEVICES = ("d1", "d2")
RULES = ("hot", "silent")
LEVELS = ("info", "warning", "critical")


class Happened(NamedTuple):
    """What happens in a made log, so many steps after the one before."""

    after: int
    kind: str
    device: str
    rule: str
    level: str
    actor: str
    announced: bool
    number: int


LOGS = st.lists(
    st.builds(
        Happened,
        st.sampled_from([0, 0, 0, 0, 1, 2, 7, 20, 45]),
        st.sampled_from(
            ["alert.raised"] * 4
            + [
                "alert.risen",
                "alert.raised_again",
                "alert.repeated",
                "alert.re_alarmed",
                "alert.acknowledged",
            ]
            + [
                "alert.cleared",
                "alert.ended",
                "alert.removed",
                "alert.chattering",
                "alert.calm",
                "alert.stale",
            ]
            + ["alert.shelved", "alert.unshelved", "alert.assigned", "alert.reset", "alert.out_of_service"]
            + ["alert.in_service", "gateway.unobserved", "gateway.observing", "work_order.opened"]
        ),
        st.sampled_from(DEVICES),
        st.sampled_from(RULES),
        st.sampled_from(LEVELS),
        st.sampled_from(["anna", "ben"]),
        st.booleans(),
        st.integers(0, 5_000),
    ),
    max_size=80,
)
ASKING = ("alert.raised", "alert.raised_again", "alert.risen", "alert.repeated", "alert.re_alarmed")


def written(log: Sequence[Happened]) -> list[Outcome]:
    """A made log as the engine would write it."""
    outcomes, at = [], START
    for one in log:
        at += one.after * STEP
        together = 1 + one.number % 13 if one.kind == "alert.raised" else 1  # floods come in bursts
        outcomes += [_outcome(one, at)] * together
    return outcomes


def _outcome(one: Happened, at: Millis) -> Outcome:
    kind, subject = one.kind, f"al-{one.device}-{one.rule}"
    detail: dict[str, Any] = {}
    if kind in ASKING:
        detail = {"announced": True} if one.announced else {"suppressed": "shelved"}
    match kind:
        case "alert.acknowledged" | "alert.cleared":
            detail = {"after": one.number}
        case "alert.calm":
            detail = {"hidden": one.number, "lasted": 1}
        case "alert.removed":
            kind, detail = "alert.ended", {"why": "device removed", "lasted": 1}
        case "alert.ended":
            detail = {"why": "cleared", "lasted": 1}
        case "gateway.unobserved":
            return Outcome(at, kind, detail={"since": at - one.number % 3 * STEP, "reason": "gone"})
        case "gateway.observing":
            return Outcome(at, kind, detail={"since": 0, "until": at})
    return Outcome(at, kind, one.device, subject, one.rule, one.level, one.actor, detail)


def last_said(
    outcomes: Sequence[Outcome], about: Callable[[Outcome], tuple[bool, Millis] | None]
) -> Callable[[Millis], bool]:
    """Whether something lasts at a moment: what the last outcome about it, up to then, said."""
    changes = [said for outcome in outcomes if (said := about(outcome)) is not None]

    def lasts(moment: Millis) -> bool:
        open_from: Millis | None = None
        for begins, at in changes:
            if begins:  # a second beginning may reach further back than the first: both are believed
                open_from = at if open_from is None else min(open_from, at)
            elif open_from is not None:
                if open_from <= moment < at:
                    return True
                open_from = None
        return open_from is not None and open_from <= moment

    return lasts


def unobserved(outcome: Outcome) -> tuple[bool, Millis] | None:
    """What an outcome says of whether devices are unseen, and from when on."""
    if outcome.kind == "gateway.unobserved":
        return True, outcome.detail["since"]
    return (False, outcome.detail["until"]) if outcome.kind == "gateway.observing" else None


def lasting(kind: str, device: str, rule: str) -> Callable[[Outcome], tuple[bool, Millis] | None]:
    """What an outcome says of a shelf, outage, chatter or stale alert."""
    ends = {
        "shelved": ("alert.unshelved",),
        "out_of_service": ("alert.in_service",),
        "chattering": ("alert.calm",),
        "stale": ("alert.cleared", "alert.ended"),
    }[kind]

    def about(outcome: Outcome) -> tuple[bool, Millis] | None:
        if (outcome.device, outcome.rule) != (device, rule):
            return None
        if outcome.kind == f"alert.{kind}":
            return True, outcome.at
        removed = kind == "chattering" and outcome.detail.get("why") == "device removed"
        return (False, outcome.at) if outcome.kind in ends or removed else None

    return about


def steps_of(lasts: Callable[[Millis], bool], start: Millis, end: Millis) -> int:
    """For how many steps between two moments it lasts."""
    return sum(lasts(moment) for moment in range(start, end, STEP))


def windows(outcomes: Sequence[Outcome], start: Millis, end: Millis, offset: Millis) -> dict[Millis, int]:
    """How much was announced in each ten minutes on the local hour that has any."""
    found: dict[Millis, int] = {}
    for outcome in outcomes:
        if start <= outcome.at < end and outcome.detail.get("announced"):
            begin = outcome.at - (outcome.at + offset) % (10 * MINUTE)
            found[begin] = found.get(begin, 0) + 1
    return found
