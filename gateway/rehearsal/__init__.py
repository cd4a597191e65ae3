"""Rehearsal: what a site's rules would do, told in a file and played through the real decoder and engine.

A ``*.scenario.yaml`` file says what devices send, what people do and what must come of it. It is read whole, its names
are looked up before anything runs, and the same file always gives the same result: nothing here reads a clock.
"""

from gateway.rehearsal.coverage import coverage, shipped
from gateway.rehearsal.files import rehearse
from gateway.rehearsal.player import play
from gateway.rehearsal.reading import read
from gateway.rehearsal.results import Coverage, Failure, FileResult, Played, Raise
from gateway.rehearsal.scenario import Scenario, ScenarioFile

__all__ = [
    "Coverage",
    "Failure",
    "FileResult",
    "Played",
    "Raise",
    "Scenario",
    "ScenarioFile",
    "coverage",
    "play",
    "read",
    "rehearse",
    "shipped",
]
