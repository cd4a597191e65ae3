"""Replaying lines: what a file does not tell is supplied, how it is cut changes nothing, its sites are heeded or not."""

import itertools
import json
import os
import subprocess
import sys
from hashlib import sha256

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.effects import Outcome
from gateway.core.inputs import LinkUp, Started
from gateway.core.plan import SitePlan
from gateway.core.values import HOUR, MINUTE, Millis
from gateway.replay import Stage
from gateway.site import SiteBundle, build_plan
from gateway.traffic import Line, Setup
from tests.replay.presses import START, bundle, reading, story

CI = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
PLAN, LENIENT = build_plan(bundle()), build_plan(bundle(hot=95))
TOLD = ("alert.raised", "alert.cleared", "work_order", "gateway", "rejected", "site")


def played(
    stage: Stage, lines: list[Line], cuts: list[int] | None = None, until: Millis = 0
) -> list[Outcome]:
    found: list[Outcome] = []
    edges = [0, *sorted(cuts or []), len(lines)]
    for low, high in itertools.pairwise(edges):
        for effects in stage.take(lines[low:high]):
            found += effects.outcomes
    if until:
        found += stage.pass_by(until).outcomes
    return found


def told(outcomes: list[Outcome]) -> list[str]:
    return [
        " ".join([one.kind, *filter(None, (one.device, one.rule)), f"@{(one.at - START) / MINUTE:.1f}"])
        for one in outcomes
        if one.kind.startswith(TOLD)
    ]


def setup(at: Millis, one: SiteBundle) -> Line:
    return Line(0, at, Setup(at, one.digest, one.encode()))


def plan_of(one: Setup) -> SitePlan:
    assert one.bundle is not None
    return build_plan(SiteBundle.decode(one.bundle))


def test_the_story_is_judged_as_a_running_gateway_would() -> None:
    assert told(played(Stage(PLAN), story())) == [
        "gateway.started @0.0",
        "site.configured @0.0",
        "alert.raised p1 hot @3.3",
        "alert.cleared p1 hot @6.0",
        "alert.raised_again p1 hot @8.3",
        "alert.cleared p1 hot @10.0",
        "alert.raised p1 stopped @11.0",
        "work_order.opened p1 stopped @11.0",
        "alert.raised p2 silent @12.3",
        "alert.cleared p2 silent @17.0",
        "gateway.unobserved @20.0",
        "gateway.observing @22.0",
        "rejected p2 @25.0",
        "work_order.opened p1 @26.0",
    ]


@CI
@given(st.lists(st.integers(0, 340), max_size=6), st.sampled_from([0, START + HOUR]))
def test_how_a_file_is_cut_into_parts_changes_nothing(cuts: list[int], until: Millis) -> None:
    whole = played(Stage(PLAN), story(), None, until)
    assert played(Stage(PLAN), story(), cuts, until) == whole


def test_time_that_passes_after_the_last_line_is_judged_too() -> None:
    stage = Stage(PLAN)
    played(stage, [reading(START, "p1", 20.0), reading(START + MINUTE, "p1", 90.0)])
    assert stage.pass_by(START + MINUTE + 19_999).outcomes == []
    assert told(stage.pass_by(START + 2 * MINUTE).outcomes) == [
        "alert.raised p1 hot @1.3",
        "alert.raised_again p1 silent @1.5",
    ]


def test_a_file_without_a_start_is_that_of_a_gateway_that_came_up_with_it() -> None:
    found = played(Stage(PLAN), [reading(START, "p1", 20.0)])
    assert told(found) == ["gateway.started @0.0", "site.configured @0.0"]
    stage = Stage(PLAN)
    played(stage, [Line(0, START, LinkUp(START))])
    assert stage.engine.state.scalars.observing


def test_a_file_that_begins_with_a_restart_gets_its_site_and_no_second_start() -> None:
    begun = Line(0, START, Started(START, START - MINUTE))
    for first in (reading(START + 1, "p1", 90.0), Line(0, START + 1, LinkUp(START + 1))):
        stage = Stage(PLAN)
        found = played(stage, [begun, first, reading(START + MINUTE, "p1", 90.0)])
        assert told(found)[:2] == ["gateway.started @0.0", "site.configured @0.0"]
        assert stage.engine.state.scalars.observing


def test_one_site_judges_all_of_a_file_whatever_sites_are_in_it() -> None:
    hot = [reading(at, "p1", 90.0) for at in range(START + 1, START + 5 * MINUTE, 10_000)]
    lines = [Line(0, START, Started(START, None)), setup(START, bundle(hot=95)), *hot]
    stage = Stage(PLAN)
    assert "alert.raised p1 hot @0.3" in told(played(stage, lines))
    assert stage.plan.digest == PLAN.digest
    stage = Stage(PLAN)
    played(stage, [*lines, setup(START + HOUR, bundle(hot=99))])
    assert stage.passed_over == 1


def test_as_recorded_each_moment_is_judged_by_the_site_that_was_in_force() -> None:
    hot = [reading(at, "p1", 90.0) for at in range(START + 1, START + 5 * MINUTE, 10_000)]
    later = [reading(at, "p1", 90.0) for at in range(START + 5 * MINUTE + 1, START + 9 * MINUTE, 10_000)]
    begun = [
        Line(0, START, Started(START, None)),
        setup(START, bundle(hot=95)),
        Line(0, START, LinkUp(START)),
    ]
    stage = Stage(LENIENT, plan_of)
    found = told(played(stage, [*begun, *hot, setup(START + 5 * MINUTE, bundle()), *later]))
    assert [one for one in found if "hot" in one] == ["alert.raised p1 hot @5.3"]
    assert stage.plan.digest == PLAN.digest


def digest_of_the_story() -> str:
    """A word for everything the story comes to."""
    found = played(Stage(PLAN), story(), None, START + HOUR)
    return sha256(b"".join(msgspec.json.encode(one) for one in found)).hexdigest()


def test_the_seed_of_hashes_does_not_matter() -> None:
    program = f"from {__name__} import digest_of_the_story; print(digest_of_the_story())"
    run = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2", "3")
    ]
    assert json.dumps(run) == json.dumps([digest_of_the_story()] * 3)
