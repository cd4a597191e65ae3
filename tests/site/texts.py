"""Small files to build on, and what is wrong with the ones a test writes."""

from textwrap import dedent

import pytest

from gateway.errors import Problem, SiteError
from gateway.site import SiteBundle, build_plan
from gateway.site.bundle import internal_profiles

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


PATROL = """\
  - {id: pump-2, profile: pump}
guards:
  g-07: {title: {en: Li Wei, zh: 李伟}, team: house}
  g-08: {}
checkpoints:
  - id: gate
    title: {en: Gate, zh: 大门}
    building: hall
    floor: L0
    place: left
    important: true
    tags:
      - "04:a2:2b:1c:3d:5e:80"
      - {id: 04B31C5A010180, secure: true, epoch: 2, from: 2026-03-01 08:00, until: 2026-06-01 08:00}
  - {id: boiler, building: hall, floor: L1, tags: [{id: 04B31C5A010180, from: 2026-06-01 08:00}]}
  - {id: roof}
routes:
  - id: night
    title: {en: Night round, zh: 夜巡}
    order: random
    checkpoints: [gate, {id: boiler, from: 5m, until: 40m, leg: [30s, 10m]}, roof]
    readers: [pump-1, pump-2]
    guards: [g-07, g-08]
    every: FREQ=DAILY;BYHOUR=22,0,2,4
    start: 2026-01-01 22:00
    lasts: 90m
    early: 5m
    grace: 20m
    late_upload: 12h
    persons: 2
    within: 90s
    leg: [15s, 20m]
    accept: C
    check_in: 30m
    alarm_after: 10m
  - {id: dawn, checkpoints: [gate, roof], reader: pump-1, every: FREQ=DAILY, start: 2026-01-01 22:00, until: "06:00"}
  - {id: stroll, checkpoints: [gate], order: any}
patrol:
  coverage:
    pumps: {title: {en: Pumps, zh: 水泵}, checkpoints: [gate, boiler], every: 2h, grave: 4h, during: open}
    all: {every: 1d, during: {daily: "18:00-06:00"}}
  posts:
    main-gate: {title: Gate house, team: house, keys: [Key ring A, Radio 2]}
    back: {}
  least: 4s
  distances: [{between: [gate, boiler], least: 90s}]
  day_starts: "06:00"
  work_orders: {missed: {warning: send-guard, critical: pump-repair}, sos: {critical: pump-repair}}
calendars: {open: {hours: {mon-fri: "08:00-18:00"}}}
"""
"""Every field of a patrol. Its first line is line 9 of a site that ends with it."""
PATROLLED = SITE.replace("pump-repair: {team: house}", "pump-repair: {team: house}, send-guard: {}") + PATROL


def rules(text: str) -> str:
    """The pump profile with these rules."""
    return PUMP + "\n".join(f"  {line}" for line in dedent(text).strip().splitlines()) + "\n"


def bundle(site: str = SITE, **profiles: str) -> SiteBundle:
    """A bundle of a site file and profiles by file name without ``.yaml``."""
    return SiteBundle(
        "site.yaml", {"site.yaml": site, **{f"{name}.yaml": text for name, text in profiles.items()}}
    )


def patrolled(site: str = PATROLLED, pump: str = PUMP + "  {}\n") -> SiteBundle:
    """A bundle of a site with a patrol: the gateway's own profiles are in it."""
    found = bundle(site, pump=pump)
    return SiteBundle(found.main, {**found.files, **internal_profiles()})


def problems_of(found: SiteBundle) -> list[Problem]:
    """What is wrong with a bundle; fails when nothing is."""
    with pytest.raises(SiteError) as caught:
        build_plan(found)
    assert str(caught.value) == "\n".join(str(problem) for problem in caught.value.problems)
    return list(caught.value.problems)


def problems(site: str = SITE, **profiles: str) -> list[Problem]:
    """What is wrong with a site and its profiles; fails when nothing is."""
    return problems_of(bundle(site, **({"pump": PUMP + "  {}\n"} | profiles)))


def problem(site: str = SITE, **profiles: str) -> str:
    """The only thing wrong, as ``file:line: field: message``."""
    found = problems(site, **profiles)
    assert len(found) == 1, found
    return str(found[0])
