"""What a good site becomes."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.patrol.routes import Tag
from gateway.core.plan import (
    AllOf,
    AnyOf,
    Changed,
    Clear,
    Compare,
    Count,
    Happened,
    LevelRule,
    Negation,
    Offline,
    OneOf,
    Rate,
    Rule,
    Silent,
)
from gateway.core.templates import Clocks, Step, Team, Template
from gateway.core.values import DAY, HOUR, MINUTE, SECOND, Level, PointType, Series, Title
from gateway.errors import SiteError
from gateway.site import SiteBundle, build_plan, load_site, read_bundle
from tests.site.texts import PUMP, SITE, bundle, rules

CONDITIONS = """
    r:
      title: {en: Rule, zh: 规则}
      levels:
        critical:
          when:
            any:
              - all: [{point: running, is: true}, {point: mode, in: [auto, hand]}]
                for: $dry_after
              - {not: {point: pressure, below: $pressure_low, for: 5s}}
              - {point: pressure, outside: [1, $pressure_high]}
              - {point: starts, rate_above: 20, per: 1h, over: 10m}
              - {point: pressure, rate_below: -2, per: 1m, over: 2m}
              - {count: {event: trip, within: 1m, at_least: 3, where: {cause: heat}}}
              - {event: trip, where: {cause: [heat, phase], test: false}}
              - {point: label, changed: true}
              - {point: pressure, silent_for: 90s}
              - offline: true
        info: {when: {silent_for: 3x}, for: 1h30m}
      clear: {deadband: 0.5, for: 5m}
      latched: true
      shelvable: false
      work_order: {critical: pump-repair}
      runbook: Look at it.
"""


def test_every_condition_of_the_grammar() -> None:
    rule = build_plan(bundle(pump=rules(CONDITIONS))).devices["pump-1"].kind.rules["r"]
    running = AllOf(
        parts=(OneOf(point="running", values=(True,)), OneOf(point="mode", values=("auto", "hand"))),
        hold=30 * SECOND,
    )
    critical = AnyOf(
        parts=(
            running,
            Negation(part=Compare(point="pressure", low=2.0, hold=5 * SECOND)),
            Compare(point="pressure", low=1.0, high=10.0),
            Rate(point="starts", high=20.0, per=HOUR, over=10 * MINUTE),
            Rate(point="pressure", low=-2.0, per=MINUTE, over=2 * MINUTE),
            Count(event="trip", within=MINUTE, at_least=3, where={"cause": ("heat",)}),
            Happened(event="trip", where={"cause": ("heat", "phase"), "test": (False,)}),
            Changed(point="label"),
            Silent(after=90 * SECOND, point="pressure"),
            Offline(),
        )
    )
    assert rule == Rule(
        name="r",
        title=Title("Rule", "规则"),
        levels=(
            LevelRule(level=Level.INFO, when=Silent(after=30 * SECOND), hold=90 * MINUTE),
            LevelRule(level=Level.CRITICAL, when=critical),
        ),
        clear=Clear(deadband=0.5, hold=5 * MINUTE),
        latched=True,
        shelvable=False,
        shelve_max=8 * HOUR,
        work_order={Level.CRITICAL: "pump-repair"},
        runbook=Title("Look at it.", "Look at it."),
    )


def test_a_rule_may_want_a_name_from_who_acknowledges_it() -> None:
    text = "r: {named_ack: true, levels: {warning: {when: {offline: true}}}}\nq: {levels: {warning: {when: {offline: true}}}}"
    found = build_plan(bundle(pump=rules(text))).devices["pump-1"].kind.rules
    assert {name: rule.named_ack for name, rule in found.items()} == {"r": True, "q": False}


def test_points_events_and_defaults_of_a_kind() -> None:
    kind = build_plan(bundle(pump=PUMP + "  {}\n")).devices["pump-1"].kind
    assert kind.title == Title("Pump", "水泵")
    assert (kind.report_every, kind.codec, kind.late_accept, kind.max_future) == (
        10 * SECOND,
        "native-json",
        7 * DAY,
        2 * MINUTE,
    )
    assert kind.params == {"pressure_low": 2.0, "pressure_high": 10.0, "dry_after": 30_000.0}
    assert kind.points["pressure"].valid == (0.0, 25.0)
    assert kind.points["mode"].values == ("hand", "auto", "off")
    assert kind.points["starts"].counter
    assert kind.points["label"].title == Title("label", "label")
    assert kind.events["trip"].attributes["test"].type is PointType.BOOL
    assert kind.events["trip"].attributes["test"].default is False


MILL = """\
site: mill
title: {en: Mill, zh: 工厂}
timezone: Europe/Berlin
settings: {boot_grace: 15s, topic_root: plant/a, max_payload: 4096, event_retention: 30d}
profiles: [pump.yaml]
buildings:
  hall: {title: Hall, floors: {L0: {title: Ground, plan: plans/l0.svg}, "1": }}
teams:
  house: {title: House}
  lifts: {contractor: true}
work_orders:
  pump-repair:
    title: {en: Repair, zh: 维修}
    priority: high
    team: lifts
    clocks: {accept: 5m, arrive: 30m, resolve: 2h}
    checklist: [{name: off, title: Off}, {name: photo, required: false}]
    allow_skips: false
    reopen_within: 3d
devices:
  - {id: pump-1, profile: pump, building: hall, floor: "1", place: Corner, title: First}
  - {id: pump-2, profile: pump}
checkpoints:
  - {id: gate, title: Gate, building: hall, floor: L0, place: left, tags: ["04:a2:2b:1c 3d-5e80"]}
routes:
  - {id: night, checkpoints: [gate], order: random, reader: pump-1}
"""


def test_the_rest_of_the_site() -> None:
    plan = build_plan(bundle(MILL, pump=PUMP + "  {}\n"))
    assert (plan.site, plan.title, plan.timezone) == ("mill", Title("Mill", "工厂"), "Europe/Berlin")
    assert (plan.boot_grace, plan.topic_root, plan.max_payload, plan.event_retention) == (
        15 * SECOND,
        "plant/a",
        4096,
        30 * DAY,
    )
    first, second = plan.devices.values()
    assert first.series == Series(
        "pump", (("building", "hall"), ("device", "pump-1"), ("floor", "1"), ("site", "mill"))
    )
    assert (first.title.en, first.building, first.floor, first.place) == ("First", "hall", "1", "Corner")
    assert second.series == Series("pump", (("device", "pump-2"), ("site", "mill")))
    assert list(plan.buildings["hall"].floors) == ["L0", "1"]
    assert plan.buildings["hall"].floors["L0"].picture == "plans/l0.svg"
    assert plan.teams["lifts"] == Team(name="lifts", title=Title("lifts", "lifts"), contractor=True)
    assert plan.templates["pump-repair"] == Template(
        name="pump-repair",
        title=Title("Repair", "维修"),
        priority="high",
        team="lifts",
        clocks=Clocks(accept=5 * MINUTE, arrive=30 * MINUTE, resolve=2 * HOUR),
        checklist=(
            Step(name="off", title=Title("Off", "Off")),
            Step(name="photo", title=Title("photo", "photo"), required=False),
        ),
        allow_skips=False,
        reopen_within=3 * DAY,
    )
    assert plan.checkpoints["gate"].tags == (Tag(id="04A22B1C3D5E80"),)
    assert plan.checkpoints["gate"].place == "left"
    route = plan.routes["night"]
    assert (route.checkpoints, route.order, route.readers) == (("gate",), "random", ("pump-1",))


LIMIT = "r: {levels: {warning: {when: {point: pressure, above: $pressure_high}, for: $dry_after}}}"


def test_a_device_overrides_the_site_and_the_site_the_profile() -> None:
    site = SITE + (
        "  - {id: pump-2, profile: pump, params: {pressure_high: 6}}\n"
        "  - {id: pump-3, profile: pump, params: {dry_after: 2m}}\n"
        "params: {pump: {pressure_high: 8, dry_after: 1m}}\n"
    )
    plan = build_plan(bundle(site, pump=rules(LIMIT)))
    found = {
        name: (level.when.high, level.hold)
        for name, device in plan.devices.items()
        for level in device.kind.rules["r"].levels
        if isinstance(level.when, Compare)
    }
    assert found == {"pump-1": (8.0, MINUTE), "pump-2": (6.0, MINUTE), "pump-3": (8.0, 2 * MINUTE)}
    assert plan.devices["pump-2"].kind.params == {
        "pressure_low": 2.0,
        "pressure_high": 6.0,
        "dry_after": 60_000.0,
    }


def test_devices_with_the_same_profile_and_parameters_share_one_kind() -> None:
    site = SITE + (
        "  - {id: pump-2, profile: pump}\n"
        "  - {id: pump-3, profile: pump, params: {pressure_high: 6}}\n"
        "  - {id: pump-4, profile: pump, params: {pressure_high: 6.0}}\n"
        "  - {id: pump-5, profile: pump, params: {pressure_high: 10}}\n"
    )
    devices = build_plan(bundle(site, pump=rules(LIMIT))).devices
    kinds = {name: id(device.kind) for name, device in devices.items()}
    assert kinds["pump-1"] == kinds["pump-2"] == kinds["pump-5"]
    assert kinds["pump-3"] == kinds["pump-4"] != kinds["pump-1"]


@given(low=st.floats(0.1, 24), high=st.floats(0.1, 24))
def test_any_limits_are_taken_exactly_or_refused(low: float, high: float) -> None:
    text = f"r: {{levels: {{warning: {{when: {{point: pressure, outside: [{low!r}, {high!r}]}}}}}}}}"
    if low < high:
        when = build_plan(bundle(pump=rules(text))).devices["pump-1"].kind.rules["r"].levels[0].when
        assert when == Compare(point="pressure", low=low, high=high)
    else:
        with pytest.raises(SiteError, match="the first limit must be below the second"):
            build_plan(bundle(pump=rules(text)))


def test_the_same_text_gives_the_same_plan_and_digest() -> None:
    one, two = bundle(pump=rules(CONDITIONS)), bundle(pump=rules(CONDITIONS))
    assert one.digest == two.digest == build_plan(one).digest
    assert build_plan(one) == build_plan(two)


def test_the_digest_covers_every_name_and_text() -> None:
    base = SiteBundle("a", {"a": "x", "b": "y"})
    others = [
        SiteBundle("b", {"a": "x", "b": "y"}),
        SiteBundle("a", {"a": "xb", "b": "y"}),
        SiteBundle("a", {"a": "x", "c": "y"}),
        SiteBundle("a", {"a": "x"}),
        SiteBundle("a", {"a": "xb", "": "y"}),
    ]
    assert len({base.digest, *(other.digest for other in others)}) == 6
    assert SiteBundle("a", {"b": "y", "a": "x"}).digest == base.digest


@given(st.text(), st.dictionaries(st.text(), st.text(), max_size=4))
def test_a_bundle_comes_back_from_the_journal_as_it_went_in(main: str, files: dict[str, str]) -> None:
    before = SiteBundle(main, files)
    after = SiteBundle.decode(before.encode())
    assert after == before
    assert after.digest == before.digest


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"{}", b"[]", b'{"main": "a", "files": 5}', json.dumps(5).encode()]
)
def test_what_is_no_bundle_is_refused(data: bytes) -> None:
    with pytest.raises(SiteError, match="not an encoded site bundle"):
        SiteBundle.decode(data)


def test_a_bundle_holds_the_shipped_profiles_in_use_and_rebuilds_without_the_disk(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(
        "site: s\ntimezone: UTC\nwork_orders: {security-response: {}, reader-repair: {}}\n"
        "devices: [{id: r-1, profile: patrol_reader}]\n",
        "utf-8-sig",
    )
    found = read_bundle(site)
    assert list(found.files) == ["site.yaml", "shipped:patrol_reader.yaml"]
    site.unlink()
    assert build_plan(SiteBundle.decode(found.encode())).devices["r-1"].kind.profile == "patrol_reader"


def test_a_site_s_own_profile_stands_before_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(
        "site: s\ntimezone: UTC\nprofiles: [own/lift.yaml]\ndevices: [{id: l-1, profile: elevator}]\n",
        "utf-8",
    )
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "lift.yaml").write_text("profile: elevator\nreport_every: 1m\n", "utf-8")
    plan = load_site(tmp_path / "site.yaml")
    assert plan.devices["l-1"].kind.report_every == MINUTE


def test_a_new_profile_beside_a_site_changes_the_digest(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(SITE, "utf-8")
    (tmp_path / "pump.yaml").write_text(PUMP + "  {}\n", "utf-8")
    before = read_bundle(tmp_path / "site.yaml").digest
    (tmp_path / "pump.yaml").write_text(rules(LIMIT), "utf-8")
    assert read_bundle(tmp_path / "site.yaml").digest != before
