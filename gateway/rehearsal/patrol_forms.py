"""Judging what is expected of rounds and taps."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.core.patrol import judging
from gateway.core.patrol.memory import Round, RoundState
from gateway.rehearsal.scenario import Expectation
from gateway.rehearsal.telling import Telling, plain
from gateway.rehearsal.verdicts import Verdict, View, fields_of, wanted_of


def round_(one: Expectation, view: View) -> Verdict | None:
    """The newest round of a route, or the one of a due time."""
    route, due = str(one.given["round"]), one.given.get("due")
    wanted = wanted_of(one, "round", "device", "due")
    found = view.records.round(route, None if due is None else str(due))
    if found is not None and round_fits(found, wanted, view.telling):
        return None
    about = f"round {route}" + (f" due {due}" if due is not None else "")
    if found is None:
        known = ", ".join(round_.key for round_ in view.records.rounds.values() if round_.route == route)
        return Verdict(f"{about}:{fields_of(wanted, view)}", f"no {about}; there are: {known or 'none'}")
    return Verdict(f"{about}:{fields_of(wanted, view)}", round_words(found, view.telling, wanted))


def round_fits(found: Round, wanted: Mapping[str, Any], telling: Telling) -> bool:
    """Whether a round has the wanted fields and stops."""
    return all(
        telling.fits(_stops(found) if name == "stops" else plain(getattr(found, name)), value)
        for name, value in wanted.items()
    )


def round_words(found: Round, telling: Telling, wanted: Mapping[str, Any] = MappingProxyType({})) -> str:
    """A round in a line, with every stop and what is wanted of it."""
    shown = {"state": str(found.state), "result": found.result}
    shown |= {
        name: telling.show(plain(getattr(found, name)), value)
        for name, value in wanted.items()
        if name != "stops"
    }
    words = " ".join(f"{name}={value}" for name, value in shown.items())
    return (
        f"round {found.route} due {found.key.replace('T', ' ')}: {words} stops={telling.show(_stops(found))}"
    )


def _stops(found: Round) -> dict[str, str]:
    """What became of each stop; while the round is open, what would become of it now."""
    if found.state is not RoundState.OPEN:
        return {one.checkpoint: one.word for one in found.outcomes if one.word != "extra"}
    visited = {
        visit.checkpoint: judging.expected(found, visit.ts, visit.checkpoint)
        for visit in found.visits
        if not visit.flag
    }
    return {stop.checkpoint: visited.get(stop.checkpoint, "pending") for stop in found.stops}


def tap(one: Expectation, view: View) -> Verdict | None:
    """What a tap was judged to be."""
    name, wanted = str(one.given["tap"]), wanted_of(one, "tap")
    found = view.records.taps.get(name)
    expected = f"tap {name}:{fields_of(wanted, view)}"
    if found is None:
        known = ", ".join(view.records.taps) or "none"
        return Verdict(expected, f"no tap {name}; on record: {known}")
    record = plain(found)
    if view.telling.fits(record, wanted):
        return None
    shown = {"grade": None, "counted": None, "flags": None} | wanted
    words = " ".join(f"{field}={view.telling.show(record[field], value)}" for field, value in shown.items())
    return Verdict(expected, f"tap {name}: {words}")
