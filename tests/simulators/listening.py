"""What the tests hear of a simulated device."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from gateway.core.plan import SitePlan
from gateway.core.values import Millis
from simulators.faults import Fault
from simulators.fleet import Fleet
from simulators.publication import Publication

START: Millis = 1_790_000_000_000
"""2026-09-21, a Monday morning in Europe."""


class Heard(NamedTuple):
    """One decoded publication; ``at`` in milliseconds after the start."""

    at: Millis
    channel: str
    body: Any


def listen(
    plan: SitePlan, device: str, length: Millis, *faults: Fault, seed: int = 7, start: Millis = START
) -> list[Heard]:
    """Everything a device says in ``length`` milliseconds; a payload that is not JSON stays text."""
    fleet = Fleet(plan, seed=seed, start=start, faults=faults, only={device})
    return [hear(publication, start) for publication in fleet.advance(start + length)]


def hear(publication: Publication, start: Millis = START) -> Heard:
    try:
        body = json.loads(publication.payload)
    except ValueError:
        body = publication.payload.decode(errors="replace")
    return Heard(publication.at - start, publication.topic.rsplit("/", 1)[1], body)


def values(heard: Iterable[Heard], point: str) -> list[tuple[Millis, Any]]:
    """When a point was reported and as what."""
    return [
        (one.at, one.body["values"][point])
        for one in heard
        if one.channel == "telemetry" and isinstance(one.body, dict) and point in one.body["values"]
    ]


def events(heard: Iterable[Heard], name: str) -> list[Heard]:
    """The events of one type."""
    return [one for one in heard if one.channel == "event" and one.body["type"] == name]


def snapshots(heard: Iterable[Heard]) -> Iterator[tuple[Millis, dict[str, Any]]]:
    """The last known values of all points after each telemetry message."""
    known: dict[str, Any] = {}
    for one in heard:
        if one.channel == "telemetry":
            known = known | one.body["values"]
            yield one.at, known
