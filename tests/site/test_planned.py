"""What a site says about time, work and notices: what it becomes, and everything that can be wrong with it."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from gateway.core.callout import Callout, Escalation, Grouping, Target
from gateway.core.plan import Maintenance, SitePlan
from gateway.core.templates import HOLD_REASONS, Step, StepKind, Team
from gateway.core.values import DAY, HOUR, MINUTE, SECOND, Level, Title
from gateway.site import build_plan
from tests.site.texts import SITE, bundle, problems, rules

RULES = """
    low: {levels: {warning: {when: {point: pressure, below: 2}}}}
    burst: {shelvable: false, levels: {critical: {when: {point: pressure, above: 20}}}}
"""
WORDS = """\
  - {id: pump-2, profile: pump, via: pump-1, tags: ["04:A2:2B:1C:3D:5E:80"]}
settings:
  shelve_max: {critical: 4h}
  stale_after: 12h
  currency: EUR
calendars:
  office:
    title: {en: Office, zh: 办公}
    hours: {mon-thu: ["08:00-12:00", "13:00-18:00"], fri: "08:00-14:00"}
    holidays: [2026-10-01]
    workdays: [2026-10-10]
  night: {hours: {daily: "22:00-06:00"}}
maintenance:
  weekly: {title: Weekly, kinds: [pump], rules: [low], during: office}
  once: {devices: [pump-2], from: 2026-03-02 08:00, until: 2026-03-02 18:00}
  monthly: {building: hall, every: FREQ=MONTHLY;BYDAY=1SU, start: 2026-01-04 02:00, lasts: 2h}
preventive:
  service: {title: Service, template: service, kinds: [pump], every: FREQ=MONTHLY;BYMONTHDAY=8, start: 2026-01-08 09:00, lead: 3d}
  site: {template: service, every: FREQ=YEARLY, start: 2026-05-01 09:00, from: completion}
notify:
  targets:
    duty: {title: Duty, language: zh, hours: office}
    boss: {}
  callouts:
    danger: {levels: [critical], rules: [burst], devices: [pump-2], to: [duty], escalate: [{after: 5m, to: [boss]}, {after: 10m, to: [duty, boss]}]}
    rest: {to: [duty]}
  group: {wait: 10s, interval: 1m, repeat: 1h}
"""
OFFICE = (
    SITE.replace("{house: {}}", '{house: {rate: "180.00", notify: [boss]}}').replace(
        "{pump-repair: {team: house}}",
        "{pump-repair: {team: house}, service: {calendar: office, accept_within: 1h, longest_hold: {parts: 14d},"
        " photos: 1, signature: true, checklist: [{name: p, kind: reading, unit: bar, low: 1, high: 3,"
        " corrective: pump-repair}, {name: seal}, {name: words, kind: text}, {name: shot, kind: photo}]}}",
    )
    + WORDS
)


def built(site: str = OFFICE) -> SitePlan:
    return build_plan(bundle(site, pump=rules(RULES)))


def at(text: str) -> int:
    """Milliseconds of a moment given in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def test_a_calendar_has_hours_in_local_time_holidays_and_make_up_days() -> None:
    office = built().calendars["office"]
    assert [
        office.is_open(at(moment))
        for moment in (
            "2026-09-30T06:00", "2026-09-30T05:59", "2026-09-30T10:30", "2026-10-01T08:00", "2026-10-09T11:59",
            "2026-10-09T12:00", "2026-10-10T08:00", "2026-10-11T08:00",
        )
    ] == [True, False, False, False, True, False, True, False]  # fmt: skip
    assert office.between(at("2026-09-28T00:00"), at("2026-10-05T00:00")) == (3 * 9 + 6) * HOUR


def test_hours_past_midnight_end_on_the_next_day() -> None:
    night = built().calendars["night"]
    assert [night.is_open(at(f"2026-01-10T{hour}")) for hour in ("04:59", "05:00", "20:59", "21:00")] == [
        True,
        False,
        False,
        True,
    ]


def test_maintenance_covers_devices_and_rules_at_its_times() -> None:
    windows = {window.name: window for window in built().maintenance}
    assert list(windows) == ["weekly", "once", "monthly"]
    weekly = windows["weekly"]
    assert weekly == Maintenance(
        name="weekly",
        title=Title("Weekly", "Weekly"),
        schedule=built().calendars["office"],
        devices=frozenset({"pump-1", "pump-2"}),
        rules=frozenset({"low"}),
    )
    assert windows["once"].devices == {"pump-2"}
    assert windows["once"].rules is None
    assert windows["once"].schedule.next_change(0) == at("2026-03-02T07:00")
    assert windows["once"].schedule.next_change(at("2026-03-02T07:00")) == at("2026-03-02T17:00")
    assert windows["monthly"].devices == {"pump-1"}
    assert windows["monthly"].schedule.is_open(at("2026-07-05T01:59"))
    assert not windows["monthly"].schedule.is_open(at("2026-07-05T02:00"))


def test_preventive_work_is_due_by_its_rule_for_each_device_or_the_site() -> None:
    items = built().preventive
    service, site = items["service"], items["site"]
    assert (service.template, service.devices, service.lead, service.from_completion) == (
        "service",
        ("pump-1", "pump-2"),
        3 * DAY,
        False,
    )
    due = service.recurrence.after(at("2026-01-08T08:00"))
    assert due is not None
    assert due == (at("2026-02-08T08:00"), "2026-02-08T09:00")
    assert (site.devices, site.lead, site.from_completion) == ((), 0, True)


def test_who_is_told_of_what() -> None:
    plan = built()
    duty = plan.targets["duty"]
    assert duty == Target(
        name="duty", title=Title("Duty", "Duty"), language="zh", hours=plan.calendars["office"]
    )
    assert plan.targets["boss"] == Target(name="boss", title=Title("boss", "boss"))
    assert plan.callouts == (
        Callout(
            name="danger",
            levels=frozenset({Level.CRITICAL}),
            rules=frozenset({"burst"}),
            devices=frozenset({"pump-2"}),
            targets=("duty",),
            steps=(
                Escalation(after=5 * MINUTE, targets=("boss",)),
                Escalation(after=10 * MINUTE, targets=("duty", "boss")),
            ),
        ),
        Callout(name="rest", targets=("duty",)),
    )
    assert plan.grouping == Grouping(wait=10 * SECOND, interval=MINUTE, repeat=HOUR)


def test_what_a_callout_is_narrowed_to_is_looked_up() -> None:
    site = OFFICE.replace("rest: {to", "rest: {kinds: [pump], building: hall, floor: L0, to")
    assert built(site).callouts[1].devices == {"pump-1"}


def test_templates_teams_devices_and_settings() -> None:
    plan = built()
    template = plan.templates["service"]
    assert (template.calendar, template.accept_within, template.longest_hold) == (
        "office",
        HOUR,
        {"parts": 14 * DAY},
    )
    assert (template.photos, template.signature) == (1, True)
    assert template.checklist == (
        Step(name="p", title=Title("p", "p"), kind=StepKind.READING, unit="bar", low=1, high=3, corrective="pump-repair"),
        Step(name="seal", title=Title("seal", "seal")),
        Step(name="words", title=Title("words", "words"), kind=StepKind.TEXT),
        Step(name="shot", title=Title("shot", "shot"), kind=StepKind.PHOTO),
    )  # fmt: skip
    assert plan.teams["house"] == Team(
        name="house", title=Title("house", "house"), rate=Decimal("180.00"), targets=("boss",)
    )
    assert (plan.devices["pump-2"].via, plan.devices["pump-2"].tags) == ("pump-1", ("04A22B1C3D5E80",))
    assert (plan.stale_after, plan.currency) == (12 * HOUR, "EUR")


def test_one_longest_hold_is_for_every_reason() -> None:
    template = built(OFFICE.replace("{parts: 14d}", "2d")).templates["service"]
    assert template.longest_hold == dict.fromkeys(HOLD_REASONS, 2 * DAY)


def test_how_long_a_rule_may_be_shelved_comes_from_rule_site_and_highest_level() -> None:
    own = """
        a: {shelve_max: 90m, levels: {critical: {when: {point: pressure, above: 3}}}}
        b: {levels: {info: {when: {point: pressure, above: 3}}, critical: {when: {point: pressure, above: 4}}}}
        c: {levels: {warning: {when: {point: pressure, above: 3}}}}
        d: {levels: {info: {when: {point: pressure, above: 3}}}}
    """

    def found(site: str) -> list[int]:
        kind = build_plan(bundle(site, pump=rules(own))).devices["pump-1"].kind
        return [rule.shelve_max for rule in kind.rules.values()]

    assert found(SITE) == [90 * MINUTE, 8 * HOUR, 24 * HOUR, 7 * DAY]
    given = SITE + "settings: {shelve_max: {critical: 2h, warning: 3h}}\n"
    assert found(given) == [90 * MINUTE, 2 * HOUR, 3 * HOUR, 7 * DAY]


def test_a_site_that_says_nothing_has_the_defaults() -> None:
    plan = build_plan(bundle(pump=rules(RULES)))
    assert (plan.calendars, plan.maintenance, plan.preventive, plan.targets, plan.callouts) == (
        {},
        (),
        {},
        {},
        (),
    )
    assert (plan.grouping, plan.stale_after, plan.currency) == (Grouping(), DAY, "CNY")
    assert plan.devices["pump-1"].via is None
    template = plan.templates["pump-repair"]
    assert (template.calendar, template.accept_within, template.longest_hold) == (None, None, {})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        # calendars
        ("mon-thu:", "mon-thr:", "calendars.office.hours: unknown day 'thr'; did you mean 'thu'?; days are mon, tue"),
        ('fri: "08:00-14:00"', 'fri: "8-14"', "calendars.office.hours: fri: found '8-14'; hours are written"),
        ('fri: "08:00-14:00"', "fri: []", "calendars.office.hours: fri: found an empty list"),
        ('fri: "08:00-14:00"', 'thu: "08:00-14:00"', "calendars.office.hours: thu is given twice"),
        ('"13:00-18:00"', '"11:00-18:00"', "calendars.office.hours: mon-thu: found 08:00-12:00, 11:00-18:00, which overlap"),
        ('{daily: "22:00-06:00"}', "{}", "calendars.night.hours: found a mapping; hours by day are needed"),
        ("[2026-10-01]", "[2026-13-01]", "calendars.office.holidays[0]: found '2026-13-01'; a date of the calendar"),
        ("[2026-10-01]", "[1026-10-01]", "calendars.office.holidays[0]: found the year 1026; 2000 to 2199"),
        ("[2026-10-01]", "[2026-10-10]", "calendars.office: 2026-10-10 is among the holidays and the workdays"),
        # maintenance
        ("during: office", "during: ofice", "maintenance.weekly.during: unknown calendar 'ofice'; did you mean 'office'?"),
        ("during: office", "during: 7", "maintenance.weekly.during: found 7; the name of a calendar is needed, or hours"),
        (", during: office", "", "maintenance.weekly: found no time; one of these is needed: during"),
        (", until: 2026-03-02 18:00", "", "maintenance.once: found from; one of these is needed"),
        ("until: 2026-03-02 18:00", "until: 2026-03-02 08:00", "maintenance.once: until (2026-03-02 08:00) must be after from"),
        ("from: 2026-03-02 08:00, until: 2026-03-02 18:00", "from: 2026-03-29 02:10, until: 2026-03-29 02:50",
         "maintenance.once: no time lies between 2026-03-29 02:10 and 2026-03-29 02:50: the clock skips it"),
        ("from: 2026-03-02 08:00", "from: tomorrow", "maintenance.once.from: found 'tomorrow'; a local date and time"),
        ("FREQ=MONTHLY;BYDAY=1SU", "FREQ=MONTLY", "maintenance.monthly.every: found 'FREQ=MONTLY': there is no frequency 'MONTLY'"),
        ("FREQ=MONTHLY;BYDAY=1SU", "each month", "maintenance.monthly.every: found 'each month'; a rule of recurrence"),
        ("every: FREQ=MONTHLY;BYMONTHDAY=8", "every: FREQ=MINUTELY", "preventive.service.every: an order every few minutes helps nobody"),
        ("rules: [low]", "rules: [lwo]", "maintenance.weekly.rules[0]: unknown rule of the devices it is about: 'lwo'; did you mean 'low'?"),
        ("rules: [low]", "rules: [burst]", "maintenance.weekly.rules[0]: 'burst' is life safety (shelvable: false) and is not muted"),
        ("devices: [pump-2], from", "devices: [pmup-2], from", "maintenance.once.devices[0]: unknown device 'pmup-2'; did you mean 'pump-2'?"),
        ("building: hall, every", "building: hal, every", "maintenance.monthly.building: unknown building 'hal'; did you mean 'hall'?"),
        ("building: hall, every", "building: hall, floor: L1, every", "maintenance.monthly: no device of the site fits all"),
        ("building: hall, every", "building: hall, floor: L7, every", "maintenance.monthly.floor: unknown floor of hall: 'L7'"),
        ("building: hall, every", "floor: L1, every", "maintenance.monthly.floor: the floor 'L1' needs the building"),
        # preventive
        ("template: service, kinds", "template: servcie, kinds",
         "preventive.service.template: unknown work-order template 'servcie'; did you mean 'service'?"),
        ("service, kinds: [pump]", "service, kinds: [pmup]", "preventive.service.kinds[0]: unknown kind of device at this site: 'pmup'; did you mean 'pump'?"),
        ("FREQ=YEARLY", "FREQ=YEARLY;UNTIL=20200101", "preventive.site.every: found 'FREQ=YEARLY;UNTIL=20200101': it never occurs"),
        ("from: completion", "from: done", "preventive.site.from: unknown word 'done' (allowed: due, completion)"),
        ("lead: 3d", "lead: 900d", "preventive.service.lead: found 900d; 0s to 366d is allowed"),
        # notices
        ("hours: office}", "hours: ofice}", "notify.targets.duty.hours: unknown calendar 'ofice'; did you mean 'office'?"),
        ("language: zh", "language: cn", "notify.targets.duty.language: unknown word 'cn' (allowed: en, zh)"),
        ("devices: [pump-2], to: [duty]", "devices: [pump-2], to: [dutty]", "notify.callouts.danger.to[0]: unknown target 'dutty'; did you mean 'duty'?"),
        ("{after: 5m, to: [boss]}", "{after: 5m, to: [bos]}", "notify.callouts.danger.escalate[0].to[0]: unknown target 'bos'; did you mean 'boss'?"),
        ("{after: 10m", "{after: 5m", "notify.callouts.danger: escalate: a step after 5m follows one after 5m; the times must rise"),
        ("rules: [burst], devices", "rules: [bust], devices", "notify.callouts.danger.rules[0]: unknown rule of the devices it is about: 'bust'; did you mean 'burst'?"),
        ("rest: {to: [duty]}", "rest: {to: []}", "notify.callouts.rest.to: found it empty"),
        ("rest: {to: [duty]}", "rest: {to: [duty]}\n    late: {to: [boss]}", "notify.callouts.late: never reached: 'rest' stands before it"),
        ("repeat: 1h", "repeat: 60s, interval: 2m", None),
        # work
        ("notify: [boss]", "notify: [bos]", "teams.house.notify[0]: unknown target 'bos'; did you mean 'boss'?"),
        ('rate: "180.00"', "rate: 180.5", "teams.house.rate: found 180.5; an amount in quotes is needed"),
        ("calendar: office", "calendar: ofice", "work_orders.service.calendar: unknown calendar 'ofice'; did you mean 'office'?"),
        ("{parts: 14d}", "{party: 14d}", "work_orders.service.longest_hold: unknown reason to hold 'party'; did you mean 'parts'?"),
        ("{parts: 14d}", "{parts: 14}", "work_orders.service.longest_hold: parts: found 14; a duration has a unit"),
        ("accept_within: 1h", "accept_within: 1s", "work_orders.service.accept_within: found 1s; 1m to 366d is allowed"),
        ("photos: 1", "photos: 1000", "work_orders.service.photos: found 1000; input should be less than or equal to 100"),
        ("corrective: pump-repair}", "corrective: pump-repiar}",
         "work_orders.service.checklist[0].corrective: unknown work-order template 'pump-repiar'; did you mean 'pump-repair'?"),
        ("corrective: pump-repair}", "corrective: service}",
         "work_orders.service.checklist[0].corrective: the corrective order leads back to its own template: service → service"),
        ("{pump-repair: {team: house}", "{pump-repair: {checklist: [{name: x, corrective: service}]}",
         "work_orders.pump-repair.checklist[0].corrective: the corrective order leads back to its own template: pump-repair → service → pump-repair"),
        ("{name: seal}", "{name: seal, unit: bar}", "work_orders.service.checklist[1]: unit: only a reading has this, and the kind is check"),
        ("{name: words, kind: text}", "{name: words, kind: text, corrective: pump-repair}",
         "work_orders.service.checklist[2]: corrective: only a check or a reading can fail, and the kind is text"),
        ("low: 1, high: 3", "low: 3, high: 1", "work_orders.service.checklist[0]: low (3) must be below high (1)"),
        ("low: 1, high: 3,", "", "work_orders.service.checklist[0]: corrective: a reading without low or high never fails"),
        ("kind: photo", "kind: foto", "work_orders.service.checklist[3].kind: unknown word 'foto'; did you mean 'photo'?"),
        # devices and settings
        ("via: pump-1", "via: pump-9", "devices[1].via: unknown device 'pump-9'"),
        ("via: pump-1", "via: pump-2", "devices[1].via: heard through itself: pump-2 → pump-2"),
        ("floor: L0}", "floor: L0, via: pump-2}", "devices[0].via: heard through itself: pump-1 → pump-2 → pump-1"),
        ("floor: L0}", "floor: L0, tags: [04A22B1C3D5E80]}", "devices[1].tags[0]: the tag 04A22B1C3D5E80 already belongs to 'pump-1'"),
        ("settings:", 'checkpoints: [{id: gate, tags: ["04A22B1C3D5E80"]}]\nsettings:', "devices[1].tags[0]: the tag 04A22B1C3D5E80 already belongs to 'gate'"),
        ("currency: EUR", "currency: euro", "settings.currency: found 'euro'; three capital letters of ISO 4217"),
        ("stale_after: 12h", "stale_after: 1s", "settings.stale_after: found 1s; 1m to 90d is allowed"),
        ("{critical: 4h}", "{critcal: 4h}", "settings.shelve_max.critcal: unknown field 'critcal'; did you mean 'critical'?"),
        ("{critical: 4h}", "{critical: 4}", "settings.shelve_max.critical: found 4; a duration has a unit"),
    ],
)  # fmt: skip
def test_what_can_be_wrong(old: str, new: str, message: str | None) -> None:
    assert old in OFFICE
    site = OFFICE.replace(old, new)
    if message is None:
        site = OFFICE.replace("interval: 1m, repeat: 1h", "interval: 1h, repeat: 1m")
        message = "notify.group: repeat (1m) is shorter than interval (1h)"
    found = problems(site, pump=rules(RULES))
    assert [one for one in found if f"{one.field}: {one.message}".startswith(message)], found
    assert {one.file for one in found} == {"site.yaml"}
    (wrong, *_) = (one for one in found if f"{one.field}: {one.message}".startswith(message))
    first = message.split(":")[0].split(".")[-1].split("[")[0]
    assert first in site.splitlines()[wrong.line - 1]


def test_a_broken_calendar_is_told_once_and_not_wherever_it_is_used() -> None:
    found = problems(OFFICE.replace("[2026-10-01]", "[someday]"), pump=rules(RULES))
    assert [one.field for one in found] == ["calendars.office.holidays[0]"]


def test_calendar_dates_reach_as_far_as_they_may() -> None:
    plan = built(OFFICE.replace("[2026-10-01]", "[2000-01-01, 2199-12-31]"))
    assert plan.calendars["office"] != built().calendars["office"]
    assert date(2199, 12, 31).weekday() == 1
    assert not plan.calendars["office"].is_open(at("2199-12-31T09:00"))


def test_a_device_is_heard_through_sixteen_others_at_most() -> None:
    def site(others: int) -> str:
        far = [
            f"  - {{id: far-{n}, profile: pump, via: {f'far-{n - 1}' if n > 1 else 'pump-1'}}}"
            for n in range(others, 0, -1)
        ]
        return OFFICE.replace("devices:\n", "\n".join(["devices:", *far, ""]))

    assert "far-16" in built(site(16)).devices
    found = problems(site(17), pump=rules(RULES))
    assert [(one.field, one.message) for one in found] == [
        ("devices[0].via", "more than 16 devices stand one behind the other in front of it")
    ]
