"""Checking files without starting anything: what ``fgw check`` shows."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.core.plan import Kind, SitePlan
from gateway.errors import Problem, SiteError
from gateway.site.bundle import is_shipped, read_bundle, read_text
from gateway.site.document import DocumentError, parse
from gateway.site.library import read_profile
from gateway.site.plan_builder import build_plan
from gateway.site.problems import Problems, unknown
from gateway.site.profile_file import ProfileFile
from gateway.site.site_file import SiteFile


@dataclass(frozen=True, slots=True)
class Checked:
    """What one file turned out to be."""

    file: str
    what: str
    """``site``, ``profile``, or ``unknown`` when it is neither."""
    name: str = ""
    """The site's id or the profile's name."""
    problems: tuple[Problem, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    """How much of what it holds, in the order to show it; devices by profile as ``elevator devices``."""

    @property
    def good(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.problems

    def __str__(self) -> str:
        if self.problems:
            return "\n".join(str(problem) for problem in self.problems)
        held = ", ".join(f"{count} {what}" for what, count in self.counts.items() if count)
        return f"{self.file}: {self.what} {self.name} is good: {held or 'empty'}"


def check_files(paths: Iterable[Path]) -> list[Checked]:
    """Check site files and profiles, each by itself; a site file with the profiles it uses. Raises nothing."""
    return [check_file(path) for path in paths]


def check_file(path: Path) -> Checked:
    """Check one file. What is wrong, an unreadable file included, is in ``problems``, by paths as given."""
    try:
        text = read_text(path, path.name)
        document = parse(path.name, text)
    except SiteError as exc:
        return Checked(str(path), "unknown", problems=_located(exc.problems, path))
    except DocumentError as exc:
        return Checked(str(path), "unknown", problems=_located([exc.problem], path))
    top = tuple(document.data) if isinstance(document.data, dict) else ()
    if "site" in top:
        return _check_site(path)
    if "profile" in top:
        return _check_profile(path, text)
    message = (
        "neither a site file (which has a field 'site') nor a device profile (which has a field 'profile')"
    )
    odd = next((unknown("field", key, ("site", "profile")) for key in top[:1]), "")
    problem = Problem(str(path), 1, "", f"{message}; {odd}" if odd else message)
    return Checked(str(path), "unknown", problems=(problem,))


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of a ``site`` file and of a ``profile``, for editors that complete and check while one types."""
    return {
        "site": SiteFile.model_json_schema(by_alias=True),
        "profile": ProfileFile.model_json_schema(by_alias=True),
    }


def _check_site(path: Path) -> Checked:
    try:
        plan = build_plan(read_bundle(path))
    except SiteError as exc:
        return Checked(str(path), "site", problems=_located(exc.problems, path))
    return Checked(str(path), "site", plan.site, counts=_site_counts(plan))


def _check_profile(path: Path, text: str) -> Checked:
    problems = Problems()
    loaded = read_profile(path.name, text, problems)
    if problems or loaded is None:
        return Checked(str(path), "profile", problems=_located(problems.sorted(), path))
    return Checked(str(path), "profile", loaded.kind.profile, counts=_kind_counts(loaded.kind))


def _site_counts(plan: SitePlan) -> dict[str, int]:
    devices = plan.equipment.values()
    profiles = Counter(device.kind.profile for device in devices)
    kinds = {device.kind.profile: device.kind for device in devices}
    return {
        **{f"{name} devices": count for name, count in sorted(profiles.items())},
        "rules": sum(len(kind.rules) for kind in kinds.values()),
        "work-order templates": len(plan.templates),
        "teams": len(plan.teams),
        "buildings": len(plan.buildings),
        "guards": len(plan.patrol.guards),
        "checkpoints": len(plan.checkpoints),
        "routes": len(plan.routes),
        "coverage rules": len(plan.patrol.coverage),
    }


def _kind_counts(kind: Kind) -> dict[str, int]:
    return {
        "points": len(kind.points),
        "events": len(kind.events),
        "rules": len(kind.rules),
        "parameters": len(kind.params),
    }


def _located(problems: Iterable[Problem], path: Path) -> tuple[Problem, ...]:
    """The problems with file names as seen from where the check was started."""
    return tuple(
        problem if is_shipped(problem.file) else problem._replace(file=str(path.parent / problem.file))
        for problem in problems
    )
