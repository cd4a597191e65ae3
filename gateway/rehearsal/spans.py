"""Looking at a scenario over its whole length: what rises has a beginning, and none takes for ever."""

import contextlib
from collections.abc import Sequence

from gateway.core.values import DAY, Millis, show_duration
from gateway.rehearsal.scenario import Step
from gateway.rehearsal.timeline import value_of
from gateway.site.fields import duration
from gateway.site.problems import Report

LONGEST: Millis = 400 * DAY
"""How long a scenario lasts at most."""
MOST_REPORTS = 1_000_000


def check_ramps(steps: Sequence[Step], report: Report) -> None:
    """What rises or falls must have had a value before."""
    said: set[tuple[str | None, str]] = set()
    for step in steps:
        device = step.plan.devices.get(step.device or "")
        values = step.given.get("values")
        if isinstance(values, dict) and device is not None and not step.given.get("once"):
            kind = device.kind
            said |= {
                (step.device, name)
                for name, value in values.items()
                if value_of(kind, name, value) is not None
            }
        ramp = step.given.get("ramp")
        for name in ramp if isinstance(ramp, dict) else ():
            if (step.device, name) not in said:
                words = f"{name} has no value to start from; give it one in an earlier step, with 'values'"
                report((*step.path, "ramp", name), words)


def check_ends(steps: Sequence[Step], report: Report) -> None:
    """A scenario ends with its last step: what only begins there would not be played, and nobody would notice."""
    for step in steps:
        begins = "ramp" if step.action == "ramp" else "times" if step.given.get("times", 1) != 1 else None
        if begins is not None and step.at == steps[-1].at:
            words = (
                "the scenario ends at this moment, and what comes after it is not played; add a later step"
            )
            report((*step.path, begins), words)


def check_length(steps: Sequence[Step], report: Report, *, reporting: bool) -> None:
    """No scenario may take for ever: neither by its length nor by what is reported in it."""
    if not steps:
        return
    end = steps[-1].at
    if end > LONGEST:
        report((*steps[-1].path, "at"), f"a scenario lasts at most {show_duration(LONGEST)}")
        return
    speakers: dict[str, tuple[Step, Millis]] = {}
    reports = 0
    for step in steps:
        device = step.plan.devices.get(step.device or "")
        if device is None or step.action not in ("values", "ramp"):
            continue
        speakers.setdefault(device.id, (step, device.kind.report_every))
        with contextlib.suppress(ValueError):
            every = duration(step.given["every"]) if "every" in step.given else device.kind.report_every
            reports += duration(step.given.get("over", "0s")) // max(1, every)
    if reporting:
        reports += sum((end - step.at) // max(1, every) for step, every in speakers.values())
    if reports > MOST_REPORTS:
        words = f"{reports:,} reports would be sent, at most {MOST_REPORTS:,} are; reporting: off leaves out those that repeat"
        report((*steps[-1].path, "at"), words)
