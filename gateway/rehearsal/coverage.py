"""Which levels of which rules the scenarios raised, against all there are."""

from collections.abc import Iterable

import device_profiles
from gateway.core.plan import SitePlan
from gateway.core.values import Json
from gateway.rehearsal.results import Coverage, FileResult, Raise
from gateway.site.bundle import read_text
from gateway.site.document import parse


def levels_of(plan: SitePlan) -> frozenset[Raise]:
    """All rules and levels of the profiles a site uses."""
    return frozenset(
        Raise(device.kind.profile, rule.name, level.level.label)
        for device in plan.devices.values()
        for rule in device.kind.rules.values()
        for level in rule.levels
    )


def coverage(results: Iterable[FileResult], known: Iterable[Raise] = ()) -> Coverage:
    """What the scenarios raised, and what of the rest none did.

    Args:
        results: what became of the files.
        known: levels that are to be raised beside those of the profiles the files use.
    """
    every, raised = {*known}, set[Raise]()
    for result in results:
        every |= result.known
        raised |= {one for played in result.played for one in played.raised}
    return Coverage(frozenset(raised), tuple(sorted(every - raised)))


def shipped() -> frozenset[Raise]:
    """The rules and levels of every profile that ships with the gateway, the internal ones included."""
    found: set[Raise] = set()
    for name in (*device_profiles.available(), *device_profiles.internal()):
        text = read_text(device_profiles.profile_path(name), f"{name}.yaml")
        rules = _mapping(_mapping(parse(f"{name}.yaml", text).data).get("rules"))
        found |= {
            Raise(name, rule, level)
            for rule in rules
            for level in _mapping(_mapping(rules[rule]).get("levels"))
        }
    return frozenset(found)


def _mapping(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}
