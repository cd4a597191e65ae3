"""Small files to build on, and what is wrong with the ones a test writes."""

from textwrap import dedent

import pytest

from gateway.errors import Problem, SiteError
from gateway.site import SiteBundle, build_plan

PUMP = """\
profile: pump
title: {en: Pump, zh: 水泵}
report_every: 10s
points:
  pressure: {type: float, unit: bar, valid: [0, 25]}
  running: {type: bool}
  mode: {type: enum, values: [hand, auto, off]}
  starts: {type: int, counter: true}
  label: {type: text}
events:
  trip: {attributes: {cause: {type: enum, values: [heat, phase]}, test: {type: bool, default: false}}}
params: {pressure_low: 2, pressure_high: 10, dry_after: 30s}
rules:
"""
"""A profile without rules; a test adds them. The first line of a rule is line 14."""

SITE = """\
site: mill
timezone: Europe/Berlin
profiles: [pump.yaml]
buildings: {hall: {floors: [L0, L1]}}
teams: {house: {}}
work_orders: {pump-repair: {team: house}}
devices:
  - {id: pump-1, profile: pump, building: hall, floor: L0}
"""


def rules(text: str) -> str:
    """The pump profile with these rules."""
    return PUMP + "\n".join(f"  {line}" for line in dedent(text).strip().splitlines()) + "\n"


def bundle(site: str = SITE, **profiles: str) -> SiteBundle:
    """A bundle of a site file and profiles by file name without ``.yaml``."""
    return SiteBundle(
        "site.yaml", {"site.yaml": site, **{f"{name}.yaml": text for name, text in profiles.items()}}
    )


def problems(site: str = SITE, **profiles: str) -> list[Problem]:
    """What is wrong with a site and its profiles; fails when nothing is."""
    with pytest.raises(SiteError) as caught:
        build_plan(bundle(site, **({"pump": PUMP + "  {}\n"} | profiles)))
    assert str(caught.value) == "\n".join(str(problem) for problem in caught.value.problems)
    return list(caught.value.problems)


def problem(site: str = SITE, **profiles: str) -> str:
    """The only thing wrong, as ``file:line: field: message``."""
    found = problems(site, **profiles)
    assert len(found) == 1, found
    return str(found[0])
