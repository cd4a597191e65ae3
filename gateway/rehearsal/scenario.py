"""A scenario as it was read: its steps in order of time, each with the site that is in force from it on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath

from gateway.core.plan import SitePlan
from gateway.core.values import Json, Millis
from gateway.rehearsal.moments import Moments
from gateway.site.document import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """Something that must be so at a moment, or under ``never`` at none."""

    form: str
    given: Mapping[str, Json]
    path: Path
    line: int
    device: str | None
    """Whom it is about; None where it is about nobody in particular, or about anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One moment of a scenario."""

    at: Millis
    """Since the beginning."""
    told: str
    """The same as the file writes it."""
    path: Path
    line: int
    device: str | None
    """Who does it, or whom it is done to."""
    action: str | None
    given: Mapping[str, Json]
    """The step as it is written."""
    expects: tuple[Expectation, ...]
    plan: SitePlan
    """What is in force once the step is done."""

    @property
    def refused(self) -> bool:
        """Whether the step expects that something is refused."""
        return any(one.form == "rejected" for one in self.expects)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One story about a site."""

    title: str
    line: int
    plan: SitePlan
    """The site at its beginning."""
    moments: Moments
    reporting: bool
    """Whether devices go on saying what they last said."""
    steps: tuple[Step, ...]
    never: tuple[Expectation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioFile:
    """One ``*.scenario.yaml``, whose names are all known to its sites."""

    file: str
    """What it is called in messages."""
    path: FilePath
    scenarios: tuple[Scenario, ...]
    plans: tuple[SitePlan, ...]
    """Every site its scenarios are played on."""
