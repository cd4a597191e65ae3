"""What holds of every scenario, whatever its numbers."""

import os
import subprocess
import sys
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.values import show_duration
from gateway.rehearsal import Played, rehearse
from tests.rehearsal.mill import file_of

LIMIT = 80
FOR = 120
EVERY = 10
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def played(folder: Path, steps: list[str]) -> Played:
    lines = "".join(f"      - {{{step}}}\n" for step in steps)
    text = f"profile: thing.yaml\nscenarios:\n  - scenario: told\n    steps:\n{lines}"
    result = rehearse(file_of(folder, text))
    assert not result.problems, [str(problem) for problem in result.problems]
    return result.played[0]


@FEW
@given(
    start=st.integers(-20, 79), end=st.integers(82, 99), over=st.integers(10, 900), every=st.integers(1, 60)
)
def test_a_ramp_raises_at_the_first_report_past_the_limit(
    start: int, end: int, over: int, every: int, tmp_path: Path
) -> None:
    moments: list[int] = []
    last = 0
    for tick in [*range(every, over, every), over]:
        moments += [*range(last + EVERY, tick, EVERY), tick]  # those that repeat count from the report before
        last = tick
    first = next(at for at in moments if start + (end - start) * at / over > LIMIT)
    steps = [
        f"at: 0s, values: {{temp: {start}}}",
        f"at: 0s, ramp: {{temp: {end}}}, over: {over}s, every: {every}s",
        f"at: {over + FOR + EVERY}s, expect: {{alert: hot, raised_at: {first + FOR}s}}",
    ]
    assert played(tmp_path, steps).failures == ()


@FEW
@given(at=st.integers(1, FOR - 1), down=st.integers(1, 3_000))
def test_a_running_for_is_as_much_later_as_the_gateway_was_down(at: int, down: int, tmp_path: Path) -> None:
    steps = [
        "at: 0s, values: {temp: 90}",
        f"at: {at}s, restart: {down}s",
        f"at: {FOR + down - 1}s, expect: {{no_alert: hot}}",
        f"at: {FOR + down}s, expect: {{alert: hot, raised_at: {show_duration((FOR + down) * 1_000)}}}",
    ]
    assert played(tmp_path, steps).failures == ()


@FEW
@given(looks=st.lists(st.integers(0, 900), max_size=12))
def test_looking_more_often_changes_nothing(looks: list[int], tmp_path: Path) -> None:
    story = [
        (0, "values: {temp: 60}"),
        (5, "ramp: {temp: 120}, over: 5m"),
        (250, "event: trip, times: 4, every: 7s"),
        (400, "silence: 3m"),
        (700, "status: offline"),
    ]
    end = (
        900,
        "expect: [{alert: hot, raised_at: 2m5s}, {alert: hot, raised_at: 3m55s}, {alert: tripped}, {alert: gone}, {alert: full}]",
    )
    told = [*story, *((look, "clock: +0s") for look in looks)]
    steps = [f"at: {at}s, {what}" for at, what in sorted(told, key=lambda one: one[0])]
    plain = played(tmp_path, [f"at: {at}s, {what}" for at, what in [*story, end]])
    looked = played(tmp_path, [*steps, f"at: 900s, {end[1]}"])
    assert plain.failures
    assert [failure.found for failure in looked.failures] == [failure.found for failure in plain.failures]
    assert looked.raised == plain.raised


def test_nothing_depends_on_the_seed_of_hashes(tmp_path: Path) -> None:
    path = file_of(
        tmp_path,
        "site: mill.yaml\ndevice: d1\nscenarios: [{scenario: x, steps: [{at: 0s, event: trip}, {at: 1h, expect: [{alert: hot},"
        " {no_alert: any, device: any}, {notice: full}, {outcome: alert.reset, within: 1h}]}]}]",
    )
    program = f"from pathlib import Path; from gateway.rehearsal import rehearse; print(rehearse(Path({str(path)!r})).played[0].failures)"
    told = {
        subprocess.run(  # a seed is read when Python starts
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1
    assert "alert tripped on d1" in told.pop()
