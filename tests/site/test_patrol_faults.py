"""Everything that can be wrong with what a site says of its patrol, with its line and what would be right."""

import re

import pytest

from gateway.site import build_plan
from tests.site.texts import PATROLLED, PUMP, SITE, patrolled, problems, problems_of

LASTS = "    lasts: 90m\n"
WRONG: list[tuple[str, str, str]] = [
    # guards
    ("g-08: {}", "g-08: {team: hose}", "guards.g-08.team: unknown team 'hose'; did you mean 'house'?"),
    ("g-08: {}", "g-08: {phone: 1}", "guards.g-08.phone: unknown field 'phone' (allowed: title, team)"),
    ("g-08: {}", "g 08: {}", "guards.g 08: found 'g 08'; an id is 1 to 64 of"),
    # ids
    ("g-08: {}", "pump-1: {}", "guards.pump-1: the id 'pump-1' was already given on line 8, among the devices; devices, checkpoints, routes and guards share their ids"),
    ("id: roof", "id: pump-2", "checkpoints[2].id: the id 'pump-2' was already given on line 9, among the devices"),
    ("id: roof", "id: g-08", "guards.g-08: the id 'g-08' was already given on line 24, among the checkpoints"),
    ("id: stroll", "id: gate", "routes[2].id: the id 'gate' was already given on line 14, among the checkpoints"),
    ("id: stroll", "id: dawn", "routes[2].id: the id 'dawn' was already given on line 44"),
    # tags
    ("epoch: 2", "epoch: 0", "checkpoints[0].tags[1].epoch: found 0; input should be greater than or equal to 1"),
    ("secure: true", "secure: 1", "checkpoints[0].tags[1].secure: found 1; true or false is needed"),
    ("secure: true", "scure: true", "checkpoints[0].tags[1].scure: unknown field 'scure'; did you mean 'secure'?"),
    ("{id: 04B31C5A010180, secure", "{id: 04B31C5A01018, secure", "checkpoints[0].tags[1].id: found '04B31C5A01018'; a tag's id is 4 to 10 bytes"),
    ('"04:a2:2b:1c:3d:5e:80"', "11223344", "checkpoints[0].tags[0]: found 11223344; put the tag's id in quotes"),
    ("from: 2026-03-01 08:00", "from: 2026-03-01", "checkpoints[0].tags[1].from: found '2026-03-01'; a local date and time is needed, such as"),
    ("until: 2026-06-01 08:00", "until: 2026-03-01 08:00", "checkpoints[0].tags[1]: until (2026-03-01 08:00) must be after from (2026-03-01 08:00)"),
    ("from: 2026-03-01 08:00, until: 2026-06-01 08:00", "from: 2026-03-29 02:10, until: 2026-03-29 02:50", "checkpoints[0].tags[1]: no time lies between 2026-03-29 02:10 and 2026-03-29 02:50: the clock skips it"),
    ("from: 2026-06-01 08:00", "from: 2026-06-01 07:59", "checkpoints[1].tags[0]: the tag 04B31C5A010180 already belongs to 'gate' from 2026-03-01 08:00 until 2026-06-01 08:00"),
    ("{id: roof}", "{id: roof, tags: [04b31c5a010180]}", "checkpoints[2].tags[0]: the tag 04B31C5A010180 already belongs to 'gate' from 2026-03-01"),
    ("{id: roof}", "{id: roof, tags: [{id: 04A22B1C3D5E80, from: 2026-01-01 00:00}]}", "checkpoints[2].tags[0]: the tag 04A22B1C3D5E80 already belongs to 'gate'"),
    ("id: pump-2, profile: pump", "id: pump-2, profile: pump, tags: [04B31C5A010180]", "devices[1].tags[0]: the tag 04B31C5A010180 already belongs to 'gate' from"),
    ("important: true", "important: very", "checkpoints[0].important: found 'very'; true or false is needed"),
    # stops
    ("[gate, {id: boiler,", "[gaet, {id: boiler,", "routes[0].checkpoints[0]: unknown checkpoint 'gaet'; did you mean 'gate'?"),
    ("{id: boiler, from", "{id: boler, from", "routes[0].checkpoints[1]: unknown checkpoint 'boler'; did you mean 'boiler'?"),
    ("checkpoints: [gate, roof]", "checkpoints: [gate, roof, gate]", "routes[1].checkpoints[2]: the checkpoint 'gate' was already given; each is named once"),
    ("checkpoints: [gate, roof]", "checkpoints: [gate, 7]", "routes[1].checkpoints[1]: found 7; a checkpoint's id is needed"),
    ("checkpoints: [gate, roof]", "checkpoints: []", "routes[1].checkpoints: found it empty"),
    ("from: 5m, until: 40m", "from: 40m, until: 5m", "routes[0].checkpoints[1]: until (5m) must be after from (40m)"),
    ("from: 5m, until: 40m", "from: 5m, until: 91m", "routes[0].checkpoints[1]: until (1h31m) lies outside the round, which lasts 1h30m"),
    ("from: 5m, until: 40m", "from: 90m", "routes[0].checkpoints[1]: from (1h30m) lies outside the round, which lasts 1h30m"),
    ("from: 5m, until: 40m", "frm: 5m", "routes[0].checkpoints[1].frm: unknown field 'frm'; did you mean 'from'?"),
    ("checkpoints: [gate], order: any", "checkpoints: [{id: gate, until: 5m}]", "routes[2].checkpoints[0]: its times count from the start of a round, and without every none is due"),
    (LASTS, '    until: "04:30"\n', "routes[0].checkpoints[1]: until (40m) lies outside the round, which lasts 30m"),
    ("leg: [30s, 10m]", "leg: [10m, 30s]", "routes[0].checkpoints[1].leg: found [10m, 30s]; the first must be shorter than the second"),
    ("leg: [30s, 10m]", "leg: 30s", "routes[0].checkpoints[1].leg: found '30s'; the least and the most time of a leg are needed, such as [15s, 20m]"),
    ("leg: [15s, 20m]", "leg: [15s, 25h]", "routes[0].leg: found 1d1h; a leg takes at most 1d"),
    ("leg: [15s, 20m]", "leg: [15, 20]", "routes[0].leg: found 15; a duration has a unit"),
    # routes
    ("[pump-1, pump-2]", "[pump-1, pump-3]", "routes[0].readers[1]: unknown device 'pump-3'; did you mean"),
    ("[pump-1, pump-2]", "[pump-1, gate]", "routes[0].readers[1]: unknown device 'gate'"),
    ("[pump-1, pump-2]", "[pump-1, pump-1]", "routes[0].readers[1]: the device 'pump-1' was already given; each is named once"),
    ("reader: pump-1", "reader: pmp-1", "routes[1].reader: unknown device 'pmp-1'; did you mean 'pump-1'?"),
    ("reader: pump-1", "reader: pump-1, readers: [pump-2]", "routes[1]: found reader and readers; write all of them in readers"),
    ("[g-07, g-08]", "[g-07, g-8]", "routes[0].guards[1]: unknown guard 'g-8'; did you mean 'g-08'?"),
    ("[g-07, g-08]", "[g-07, g-07]", "routes[0].guards[1]: the guard 'g-07' was already given; each is named once"),
    ("[g-07, g-08]", "[g-07]", "routes[0].persons: found 2, but guards names only g-07"),
    ("persons: 2", "persons: 3", "routes[0].persons: found 3; allowed: 1 or 2"),
    ("persons: 2", "persons: 1", "routes[0]: within is for how far apart two may tap, and persons is 1"),
    ("within: 90s", "within: 2h", "routes[0].within: found 2h; 1s to 1h is allowed"),
    ("order: random", "order: randm", "routes[0].order: unknown word 'randm'; did you mean 'random'?"),
    ("accept: C", "accept: E", "routes[0].accept: unknown word 'E' (allowed: A, B, C, D)"),
    ("every: FREQ=DAILY;BYHOUR=22,0,2,4", "every: FREQ=NIGHTLY", "routes[0].every: found 'FREQ=NIGHTLY': "),
    ("every: FREQ=DAILY;BYHOUR=22,0,2,4", "every: daily", "routes[0].every: found 'daily'; a rule of recurrence (RFC 5545) is needed"),
    ("    start: 2026-01-01 22:00\n", "", "routes[0]: every needs its start beside it, such as 2026-01-01 22:00"),
    ("start: 2026-01-01 22:00\n", "start: 22:00\n", "routes[0].start: found '22:00'; a local date and time is needed"),
    ("    every: FREQ=DAILY;BYHOUR=22,0,2,4\n", "", "routes[0]: found start and lasts and check_in without every, the rule by which rounds are due"),
    ("checkpoints: [gate], order: any", 'checkpoints: [gate], until: "06:00"', "routes[2]: found until without every"),
    (LASTS, "", 'routes[0]: found neither lasts nor until; one of them is needed: lasts: 90m, or until: "06:00"'),
    (LASTS, LASTS + '    until: "06:00"\n', "routes[0]: found lasts and until; one of them is needed"),
    (LASTS, "    lasts: 49h\n", "routes[0].lasts: found 2d1h; 1m to 2d is allowed"),
    (LASTS, "    lasts: 90\n", "routes[0].lasts: found 90; a duration has a unit"),
    ('until: "06:00"', 'until: "24:00"', "routes[1].until: found '24:00'; a local time of day is needed, such as \"06:00\""),
    ("early: 5m", "early: 13h", "routes[0].early: found 13h; 0s to 12h is allowed"),
    ("grace: 20m", "grace: 13h", "routes[0].grace: found 13h; 0s to 12h is allowed"),
    ("late_upload: 12h", "late_upload: 15d", "routes[0].late_upload: found 15d; 0s to 14d is allowed"),
    ("check_in: 30m", "check_in: 30s", "routes[0].check_in: found 30s; 1m to 12h is allowed"),
    ("    check_in: 30m\n", "", "routes[0]: alarm_after counts from check_in, which is not given"),
    ("alarm_after: 10m", "alarm_after: 13h", "routes[0].alarm_after: found 13h; 0s to 12h is allowed"),
    # the patrol as a whole
    ("checkpoints: [gate, boiler], every", "checkpoints: [gate, roff], every", "patrol.coverage.pumps.checkpoints[1]: unknown checkpoint 'roff'; did you mean 'roof'?"),
    ("checkpoints: [gate, boiler], every", "checkpoints: [gate, gate], every", "patrol.coverage.pumps.checkpoints[1]: the checkpoint 'gate' was already given"),
    ("grave: 4h", "grave: 2h", "patrol.coverage.pumps: grave (2h) must be longer than every (2h)"),
    ("every: 2h, grave: 4h, ", "", "patrol.coverage.pumps: the field 'every' is missing"),
    ("every: 2h,", "every: 10s,", "patrol.coverage.pumps.every: found 10s; 1m to 366d is allowed"),
    ("during: open", "during: opne", "patrol.coverage.pumps.during: unknown calendar 'opne'; did you mean 'open'?"),
    ('{daily: "18:00-06:00"}', '{daily: "18-06"}', "patrol.coverage.all.during: daily: found '18-06'; hours are written"),
    ("back: {}", "back: {team: hose}", "patrol.posts.back.team: unknown team 'hose'; did you mean 'house'?"),
    ("back: {}", "back: {keys: [7]}", "patrol.posts.back.keys[0]: found 7; text is needed"),
    ("least: 4s", "least: 2h", "patrol.least: found 2h; 0s to 1h is allowed"),
    ("least: 90s", "least: 0s", "patrol.distances[0].least: found '0s'; it must be longer than nothing"),
    ("between: [gate, boiler]", "between: [gate, boler]", "patrol.distances[0].between[1]: unknown checkpoint 'boler'; did you mean 'boiler'?"),
    ("between: [gate, boiler]", "between: [gate, gate]", "patrol.distances[0].between: found 'gate' twice; a distance lies between two different checkpoints"),
    ("between: [gate, boiler]", "between: [gate]", "patrol.distances[0].between: found a list; the ids of two checkpoints are needed, such as [gate, roof]"),
    ("least: 90s}]", "least: 90s}, {between: [boiler, gate], least: 1m}]", "patrol.distances[1].between: the distance between 'boiler' and 'gate' was already given; it holds both ways"),
    ('day_starts: "06:00"', "day_starts: 6", "patrol.day_starts: found 6; a local time of day is needed"),
    ("{missed:", "{mised:", "patrol.work_orders.mised: unknown rule of the patrol: 'mised'; did you mean 'missed'?"),
    ("{missed: {warning", "{missed: {loud", "patrol.work_orders.missed.loud: unknown word 'loud' (allowed: info, warning, critical)"),
    ("sos: {critical", "sos: {warning", "patrol.work_orders.sos.warning: unknown level of sos: 'warning' (allowed: critical)"),
    ("sos: {critical: pump-repair}", "sos: {critical: pump-repar}", "patrol.work_orders.sos.critical: unknown work-order template 'pump-repar'; did you mean 'pump-repair'?"),
    ("  least: 4s", "  lest: 4s", "patrol.lest: unknown field 'lest'; did you mean 'least'?"),
    # its devices
    ("id: pump-2, profile: pump", "id: pump-2, profile: guard", "devices[1].profile: the profile 'guard' is the gateway's own, for its patrols; no device is of it"),
    ("id: pump-2, profile: pump", "id: pump-2, profile: pump, via: gate", "devices[1].via: unknown device 'gate'"),
    ("calendars:", "params: {checkpoint: {often: 3}}\ncalendars:", "params.checkpoint.often: unknown parameter of checkpoint: 'often'; none is defined"),
    ("calendars:", "notify: {targets: {d: {}}, callouts: {c: {devices: [gaet], to: [d]}}}\ncalendars:", "notify.callouts.c.devices[0]: unknown device 'gaet'; did you mean 'gate'?"),
    ("calendars:", "preventive: {p: {template: send-guard, kinds: [checkpoint], floor: L9, building: hall, every: FREQ=DAILY, start: 2026-01-01 09:00}}\ncalendars:", "preventive.p.floor: unknown floor of hall: 'L9'"),
    ("calendars:", "maintenance: {m: {kinds: [guard], rules: [sos], from: 2026-01-01 09:00, until: 2026-01-01 10:00}}\ncalendars:", "maintenance.m.rules[0]: 'sos' is life safety (shelvable: false) and is not muted by maintenance"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), WRONG)
def test_a_patrol_that_is_wrong(old: str, new: str, message: str) -> None:
    assert PATROLLED.count(old) == 1 or old.startswith(("from: 2026-06", "until: 2026", "start:")), old
    site = PATROLLED.replace(old, new, 1)
    found = problems_of(patrolled(site))
    wrong = [one for one in found if f"{one.field}: {one.message}".startswith(message)]
    assert len(wrong) == 1, [str(one) for one in found]
    assert wrong[0].file == "site.yaml"
    *_, key = wrong[0].field.split(".")
    blamed = site.splitlines()[wrong[0].line - 1]
    assert key.partition("[")[0] in blamed or re.match(r" +- ", blamed), blamed


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("{id: boiler, from", "{id: boler, from", 29),
        ("[pump-1, pump-2]", "[pump-1, pump-3]", 30),
        ("grace: 20m", "grace: 13h", 36),
        ("persons: 2", "persons: 3", 38),
        ("until: 2026-06-01 08:00", "until: 2026-03-01 08:00", 22),
        ("during: open", "during: opne", 48),
        ("between: [gate, boiler]", "between: [gate, boler]", 54),
        ("sos: {critical", "sos: {warning", 56),
    ],
)
def test_what_is_wrong_is_told_with_its_line(old: str, new: str, line: int) -> None:
    assert {one.line for one in problems_of(patrolled(PATROLLED.replace(old, new, 1)))} == {line}


def test_a_template_that_is_missing_is_told_once() -> None:
    found = problems_of(patrolled(PATROLLED.replace("critical: pump-repair}, sos", "critical: repair}, sos")))
    assert [one.field for one in found] == ["patrol.work_orders.missed.critical"]


def test_two_of_a_site_with_one_guard() -> None:
    site = PATROLLED.replace("  g-08: {}\n", "").replace("    guards: [g-07, g-08]\n", "")
    (found,) = problems_of(patrolled(site))
    assert (found.field, found.message) == ("routes[0].persons", "found 2, but the site has only g-07")


def test_two_of_a_site_that_names_no_guards_may_be_anybody() -> None:
    start, end = PATROLLED.index("guards:"), PATROLLED.index("checkpoints:")
    site = (PATROLLED[:start] + PATROLLED[end:]).replace("    guards: [g-07, g-08]\n", "")
    assert build_plan(patrolled(site)).routes["night"].persons == 2


def test_coverage_of_a_site_without_checkpoints() -> None:
    site = SITE + "patrol: {coverage: {all: {every: 1h}}}\n"
    (found,) = problems_of(patrolled(site))
    assert str(found) == (
        "site.yaml:9: patrol.coverage.all: it is about all checkpoints, and the site has none"
    )


def test_a_stop_may_use_all_of_the_shortest_round() -> None:
    site = PATROLLED.replace(LASTS, '    until: "05:00"\n').replace("until: 40m", "until: 60m")
    assert build_plan(patrolled(site)).routes["night"].stops[1].closes == 3_600_000
    longer = problems_of(patrolled(site.replace("until: 60m", "until: 61m")))
    assert [one.message for one in longer] == ["until (1h1m) lies outside the round, which lasts 1h"]


def test_a_round_every_minute_may_be() -> None:
    site = PATROLLED.replace("every: FREQ=DAILY,", "every: FREQ=MINUTELY,")
    assert build_plan(patrolled(site)).routes["dawn"].due is not None


def test_a_broken_checkpoint_is_told_once_and_not_wherever_it_is_used() -> None:
    found = problems_of(patrolled(PATROLLED.replace("important: true", "important: very")))
    assert [one.field for one in found] == ["checkpoints[0].important"]


def test_a_profile_of_the_site_cannot_have_a_name_of_the_gateway_s_own() -> None:
    site = SITE.replace("[pump.yaml]", "[pump.yaml, guard.yaml]")
    (found,) = problems(site, guard=PUMP.replace("profile: pump", "profile: guard") + "  {}\n")
    assert str(found) == (
        "guard.yaml:1: profile: the gateway itself has a profile 'guard', for its patrols; choose another name"
    )


def test_an_unknown_profile_of_a_device_is_not_told_to_be_one_of_the_gateway_s_own() -> None:
    (found,) = problems_of(
        patrolled(PATROLLED.replace("id: pump-2, profile: pump", "id: pump-2, profile: gard"))
    )
    assert "guard" not in found.message.partition("(allowed")[2]
