"""What a site says of its patrol, and what it becomes."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.core.local_time import instant
from gateway.core.patrol.routes import Coverage, Guard, Patrol, Post, Route, Stop, Tag
from gateway.core.places import Checkpoint
from gateway.core.plan import Device, SitePlan
from gateway.core.recurrence import Recurrence
from gateway.core.values import DAY, HOUR, MINUTE, SECOND, Level, Series, Title
from gateway.site import SiteBundle, build_plan, read_bundle
from gateway.site.zones import zone
from tests.site.texts import PATROLLED, PUMP, SITE, bundle, patrolled, rules

BERLIN = zone("Europe/Berlin")


def built(site: str = PATROLLED) -> SitePlan:
    return build_plan(patrolled(site))


def at(text: str) -> int:
    """Milliseconds of a moment given in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_checkpoint_has_a_place_and_tags_with_their_times() -> None:
    found = built().checkpoints
    assert found["gate"] == Checkpoint(
        id="gate",
        title=Title("Gate", "大门"),
        tags=(
            Tag(id="04A22B1C3D5E80"),
            Tag(
                id="04B31C5A010180",
                secure=True,
                epoch=2,
                since=at("2026-03-01T07:00"),  # winter
                until=at("2026-06-01T06:00"),  # summer
            ),
        ),
        building="hall",
        floor="L0",
        place="left",
        important=True,
    )
    assert found["boiler"].tags == (Tag(id="04B31C5A010180", since=at("2026-06-01T06:00")),)
    assert found["roof"] == Checkpoint(id="roof", title=Title("roof", "roof"))


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2026-03-29 01:59", "2026-03-29T00:59"),
        ("2026-03-29 02:30", "2026-03-29T01:00"),  # skipped: when the clock jumps over it
        ("2026-03-29 03:00", "2026-03-29T01:00"),
        ("2026-10-25 02:30", "2026-10-25T00:30"),  # twice: the first time
        ("2026-10-25 03:00", "2026-10-25T02:00"),
    ],
)
def test_times_of_tags_are_local_where_the_clock_changes(local: str, utc: str) -> None:
    site = PATROLLED.replace("{id: roof}", f"{{id: roof, tags: [{{id: 04C1C1C1, from: {local}}}]}}")
    assert built(site).checkpoints["roof"].tags == (Tag(id="04C1C1C1", since=at(utc)),)
    site = PATROLLED.replace("{id: roof}", f"{{id: roof, tags: [{{id: 04C1C1C1, until: {local}}}]}}")
    assert built(site).checkpoints["roof"].tags == (Tag(id="04C1C1C1", until=at(utc)),)


def test_a_tag_configured_anew_stays_where_it_is() -> None:
    tags = '[{id: 04C1C1C1, until: 2026-05-01 08:00}, {id: "04:c1:c1:c1", epoch: 2, from: 2026-05-01 08:00}]'
    found = built(PATROLLED.replace("{id: roof}", f"{{id: roof, tags: {tags}}}")).checkpoints["roof"].tags
    assert [(tag.epoch, tag.since, tag.until) for tag in found] == [
        (1, 0, at("2026-05-01T06:00")),
        (2, at("2026-05-01T06:00"), None),
    ]


def test_a_route_with_everything_it_can_say() -> None:
    assert built().routes["night"] == Route(
        id="night",
        title=Title("Night round", "夜巡"),
        stops=(
            Stop(checkpoint="gate"),
            Stop(
                checkpoint="boiler",
                opens=5 * MINUTE,
                closes=40 * MINUTE,
                least=30 * SECOND,
                most=10 * MINUTE,
            ),
            Stop(checkpoint="roof"),
        ),
        order="random",
        readers=("pump-1", "pump-2"),
        guards=("g-07", "g-08"),
        due=Recurrence(rule="FREQ=DAILY;BYHOUR=22,0,2,4", start=wall("2026-01-01T22:00"), zone=BERLIN),
        lasts=90 * MINUTE,
        early=5 * MINUTE,
        grace=20 * MINUTE,
        late_upload=12 * HOUR,
        persons=2,
        within=90 * SECOND,
        least=15 * SECOND,
        most=20 * MINUTE,
        accept="C",
        check_in=30 * MINUTE,
        alarm_after=10 * MINUTE,
    )


def test_a_round_is_due_in_the_time_of_the_site() -> None:
    due = built().routes["night"].due
    assert due is not None
    found = due.after(at("2026-07-01T12:00"))
    assert found == (instant(wall("2026-07-01T22:00"), BERLIN), "2026-07-01T22:00")
    assert found is not None
    assert found.at == at("2026-07-01T20:00")


def test_what_a_route_leaves_out() -> None:
    found = built().routes
    assert found["dawn"] == Route(
        id="dawn",
        title=Title("dawn", "dawn"),
        stops=(Stop(checkpoint="gate"), Stop(checkpoint="roof")),
        readers=("pump-1",),
        due=Recurrence(rule="FREQ=DAILY", start=wall("2026-01-01T22:00"), zone=BERLIN),
        until=(6, 0),
    )
    assert found["stroll"] == Route(
        id="stroll", title=Title("stroll", "stroll"), stops=(Stop(checkpoint="gate"),), order="any"
    )


def test_coverage_posts_guards_and_distances() -> None:
    plan = built()
    coverage = plan.patrol.coverage
    assert coverage["pumps"] == Coverage(
        name="pumps",
        title=Title("Pumps", "水泵"),
        checkpoints=("gate", "boiler"),
        every=2 * HOUR,
        grave=4 * HOUR,
        during=plan.calendars["open"],
    )
    assert (coverage["all"].checkpoints, coverage["all"].every) == (("gate", "boiler", "roof"), DAY)
    assert coverage["all"].grave is None
    night = coverage["all"].during
    assert night is not None
    assert [night.is_open(at(f"2026-01-10T{hour}")) for hour in ("16:59", "17:00", "04:59", "05:00")] == [
        False,
        True,
        True,
        False,
    ]
    assert plan.patrol == Patrol(
        guards={
            "g-07": Guard(id="g-07", title=Title("Li Wei", "李伟"), team="house"),
            "g-08": Guard(id="g-08", title=Title("g-08", "g-08")),
        },
        coverage=coverage,
        posts={
            "main-gate": Post(
                id="main-gate",
                title=Title("Gate house", "Gate house"),
                team="house",
                keys=("Key ring A", "Radio 2"),
            ),
            "back": Post(id="back", title=Title("back", "back")),
        },
        least=4 * SECOND,
        distances={frozenset({"gate", "boiler"}): 90 * SECOND},
        day_starts=6 * HOUR,
    )


def test_a_site_without_patrol_has_the_defaults() -> None:
    plan = build_plan(bundle(pump=PUMP + "  {}\n"))
    assert plan.patrol == Patrol()
    assert (plan.patrol.least, plan.patrol.day_starts) == (5 * SECOND, 0)
    assert plan.equipment == plan.devices


def test_a_device_stands_for_each_checkpoint_route_and_guard_after_the_real_ones() -> None:
    plan = built()
    assert {name: device.kind.profile for name, device in plan.devices.items()} == {
        "pump-1": "pump",
        "pump-2": "pump",
        "gate": "checkpoint",
        "boiler": "checkpoint",
        "roof": "checkpoint",
        "night": "patrol_route",
        "dawn": "patrol_route",
        "stroll": "patrol_route",
        "g-07": "guard",
        "g-08": "guard",
    }
    assert list(plan.devices)[:3] == ["pump-1", "pump-2", "gate"]
    assert list(plan.equipment) == ["pump-1", "pump-2"]
    gate = plan.devices["gate"]
    place = (("building", "hall"), ("device", "gate"), ("floor", "L0"), ("site", "mill"))
    assert gate == Device(
        id="gate",
        kind=gate.kind,
        title=Title("Gate", "大门"),
        series=Series("checkpoint", place),
        building="hall",
        floor="L0",
        place="left",
        virtual=True,
    )
    assert plan.devices["g-07"].series == Series("guard", (("device", "g-07"), ("site", "mill")))
    assert plan.devices["g-07"].title == Title("Li Wei", "李伟")
    assert plan.devices["g-07"].kind.rules["sos"].named_ack


def test_what_stands_for_the_patrol_shares_its_kinds_with_the_work_orders_of_the_site() -> None:
    plan = built()
    kinds = Counter(id(device.kind) for device in plan.devices.values())
    assert sorted(kinds.values()) == [2, 2, 3, 3]
    rules_of = plan.devices["gate"].kind.rules
    assert rules_of["missed"].work_order == {Level.WARNING: "send-guard", Level.CRITICAL: "pump-repair"}
    assert rules_of["gap"].work_order == {}
    assert plan.devices["g-08"].kind.rules["sos"].work_order == {Level.CRITICAL: "pump-repair"}
    start, end = PATROLLED.index("  work_orders: {missed"), PATROLLED.index("calendars:")
    plain = built(PATROLLED[:start] + PATROLLED[end:])
    assert plain.devices["gate"].kind.rules["missed"].work_order == {}
    assert replace(rules_of["missed"], work_order={}) == plain.devices["gate"].kind.rules["missed"]


def test_parameters_of_the_patrol_are_laid_over_at_run_time_or_refused() -> None:
    plan = built()
    assert plan.tuner("gate", {}) is plan.devices["gate"]
    found = plan.tuner("gate", {"often": 3})
    assert isinstance(found, list)
    assert found == ["often: unknown parameter of checkpoint: 'often'; none is defined"]


def test_parameters_of_the_gateway_s_own_profiles_can_be_overridden_and_tuned_with_their_orders() -> None:
    found = patrolled(PATROLLED + "params: {checkpoint: {again: 2h}}\n")
    head, rest = found.files["shipped:checkpoint.yaml"].split("rules:\n  missed:\n")
    own = f"{head}params: {{again: 1h}}\nrules:\n  missed:\n    re_alarm: $again\n{rest}"
    plan = build_plan(SiteBundle(found.main, {**found.files, "shipped:checkpoint.yaml": own}))
    gate = plan.devices["gate"]
    assert gate.kind is plan.devices["roof"].kind
    assert (gate.kind.rules["missed"].re_alarm, gate.origins) == (2 * HOUR, {"again": "site"})
    tuned = plan.tuner("gate", {"again": "30m"})
    assert isinstance(tuned, Device)
    assert tuned.virtual
    assert tuned.kind.rules["missed"].re_alarm == 30 * MINUTE
    assert tuned.kind.rules["missed"].work_order == gate.kind.rules["missed"].work_order


COVERED = (
    PATROLLED
    + """\
maintenance:
  rebuilt: {kinds: [checkpoint], building: hall, rules: [missed], from: 2026-03-02 08:00, until: 2026-03-04 18:00}
  closed: {building: hall, floor: L0, from: 2026-03-02 08:00, until: 2026-03-04 18:00}
preventive:
  tags: {template: send-guard, kinds: [checkpoint], every: FREQ=YEARLY, start: 2026-05-01 09:00}
  tower: {template: send-guard, building: hall, every: FREQ=YEARLY, start: 2026-05-01 09:00}
notify:
  targets: {duty: {}}
  callouts:
    guards: {kinds: [guard, patrol_route], to: [duty]}
    gate: {devices: [gate, pump-2], rules: [missed], to: [duty]}
"""
)


def test_maintenance_callouts_and_preventive_work_cover_the_patrol_like_devices() -> None:
    plan = built(COVERED)
    assert {window.name: window.devices for window in plan.maintenance} == {
        "rebuilt": {"gate", "boiler"},
        "closed": {"pump-1", "gate"},
    }
    assert {callout.name: callout.devices for callout in plan.callouts} == {
        "guards": {"night", "dawn", "stroll", "g-07", "g-08"},
        "gate": {"gate", "pump-2"},
    }
    assert plan.preventive["tags"].devices == ("gate", "boiler", "roof")


def test_preventive_work_in_a_building_opens_no_order_for_a_checkpoint_nobody_named() -> None:
    assert built(COVERED).preventive["tower"].devices == ("pump-1",)


def test_the_same_text_gives_the_same_plan_and_digest() -> None:
    one, two = built(), built()
    assert one == two
    assert one.digest == two.digest
    assert one.digest != built(PATROLLED.replace("grave: 4h", "grave: 5h")).digest


@pytest.mark.parametrize(
    ("more", "own"),
    [
        ("", False),
        ("checkpoints: []\n", False),
        ("checkpoints: [{id: gate}]\n", True),
        ("guards: {g-07: {}}\n", True),
        ("patrol: {least: 3s}\n", True),
    ],
)
def test_a_bundle_holds_the_gateway_s_own_profiles_where_there_is_a_patrol(
    tmp_path: Path, more: str, own: bool
) -> None:
    (tmp_path / "site.yaml").write_text(SITE + more, "utf-8")
    (tmp_path / "pump.yaml").write_text(rules("r: {levels: {warning: {when: {offline: true}}}}"), "utf-8")
    found = read_bundle(tmp_path / "site.yaml")
    names = {"shipped:checkpoint.yaml", "shipped:guard.yaml", "shipped:patrol_route.yaml"}
    assert names & found.files.keys() == (names if own else set())
    assert build_plan(SiteBundle.decode(found.encode())) == build_plan(found)


def test_a_bundle_kept_before_there_were_such_profiles_still_means_the_same() -> None:
    plan = build_plan(bundle(SITE + "checkpoints: [{id: gate}]\nroutes: [{id: night, checkpoints: [gate]}]\n"
                             "guards: {g-07: {}}\n", pump=PUMP + "  {}\n"))  # fmt: skip
    assert list(plan.devices) == ["pump-1"]
    assert list(plan.routes) == ["night"]
