"""Topic filters of a subscription: what a site's gateway listens to, and what of a list is wrong or said twice."""

import re
from collections.abc import Iterable

from gateway.core.plan import SitePlan
from simulators.errors import SimulationError

CHANNELS = ("telemetry", "event", "status", "tap")
EVERYTHING = "facility/#"
"""The usual root with all below it."""
FILTER_MOST = 65_535
"""Bytes (MQTT)."""


def site_filters(plan: SitePlan) -> tuple[str, ...]:
    """What the gateway of a site subscribes to: its native channels, and what its profiles claim."""
    native = [f"{plan.topic_root}/{plan.site}/+/{channel}" for channel in CHANNELS]
    kinds = [device.kind for device in plan.equipment.values()]
    claims = {re.sub(r"\{[^}]*\}", "+", pattern) for kind in kinds for pattern in kind.topics}
    return (*native, *sorted(claims))


def distinct(filters: Iterable[str]) -> tuple[str, ...]:
    """The filters without those that another one covers: a broker may send a message once for each that fits.

    Raises:
        SimulationError: one is no topic filter, or there is none.
    """
    given = list(dict.fromkeys(filters))
    for one in given:
        _check(one)
    if not given:
        raise SimulationError("there is no topic to listen to; give at least one filter")
    return tuple(one for one in given if not any(other != one and _covers(other, one) for other in given))


def _check(one: str) -> None:
    """MQTT 5.0, section 4.7.1."""
    levels = one.split("/")
    misplaced = "#" in "".join(levels[:-1]) or ("#" in levels[-1] and levels[-1] != "#")
    joined = any("+" in level and level != "+" for level in levels)
    if not 0 < len(one.encode()) <= FILTER_MOST or "\0" in one or misplaced or joined:
        raise SimulationError(
            f"{one[:80]!r} is no topic filter; + stands for one whole level, # for all the last ones"
        )


def _covers(wide: str, narrow: str) -> bool:
    """Whether every topic that fits ``narrow`` fits ``wide``."""
    wides, narrows = wide.split("/"), narrow.split("/")
    if narrows[0].startswith("$") and wides[0] in ("+", "#"):
        return False  # wildcards at the beginning leave out the broker's own topics
    for index, level in enumerate(wides):
        if level == "#":
            return True
        if index >= len(narrows) or narrows[index] == "#" or level not in ("+", narrows[index]):
            return False
    return len(wides) == len(narrows)
