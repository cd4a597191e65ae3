"""What judging goes by, and what it says."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.core.engine import Engine
from gateway.core.values import Millis
from gateway.rehearsal.records import Records
from gateway.rehearsal.scenario import Expectation
from gateway.rehearsal.telling import Telling


class Verdict(NamedTuple):
    """What was expected and what was found instead."""

    expected: str
    found: str


class View(NamedTuple):
    """What there is to be judged by."""

    records: Records
    engine: Engine
    telling: Telling
    now: Millis
    """By the gateway's clock."""


def wanted_of(one: Expectation, *but: str) -> dict[str, Any]:
    """The fields an expectation wants, some left out."""
    return {name: value for name, value in one.given.items() if name not in but}


def fields_of(wanted: Mapping[str, Any], view: View) -> str:
    """Wanted fields as a person reads them, each with a space before it."""
    return "".join(f" {name}={view.telling.show(value)}" for name, value in wanted.items())


def on(device: str | None) -> str:
    """Whom something is about, with a space before it."""
    return f" on {device}" if device else ""
