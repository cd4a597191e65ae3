"""From the text of a ``*.scenario.yaml`` to its scenarios, with everything that is wrong told at its line."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path as FilePath

from gateway.core.plan import SitePlan
from gateway.core.values import Json
from gateway.errors import Problem, SiteError
from gateway.rehearsal.ground import DEVICE, Ground, Layer
from gateway.rehearsal.moments import BEGIN, local_date, local_moment
from gateway.rehearsal.scenario import Scenario, ScenarioFile
from gateway.rehearsal.shape import Shape, ValueT
from gateway.rehearsal.spans import check_ends, check_length, check_ramps
from gateway.rehearsal.steps import Teller, plan_of
from gateway.rehearsal.tapping import names_of
from gateway.site.bundle import read_text
from gateway.site.document import DocumentError, Path, parse
from gateway.site.fields import shown
from gateway.site.problems import Problems, unknown

OF_FILES = ("site", "profile", "lay_over", "params", "begin", "reporting", "device", "scenarios")
OF_SCENARIOS = ("scenario", "device", "steps", "never", "begin", "lay_over", "params", "reporting")
REPORTING = ("on", "off")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def read(path: FilePath) -> ScenarioFile:
    """Read a file of scenarios and look up every name in it.

    Raises:
        SiteError: something in it is wrong; its ``problems`` hold all of it.
    """
    try:
        return _read(path)
    except RecursionError as exc:
        problem = Problem(path.as_posix(), 0, "", "it is nested too deeply to be read")
        raise SiteError(str(problem), [problem]) from exc


def _read(path: FilePath) -> ScenarioFile:
    name = path.as_posix()
    text = read_text(path, name)
    try:
        document = parse(name, text)
    except DocumentError as exc:
        raise SiteError(str(exc), [exc.problem]) from exc
    problems = Problems()
    shape = Shape(document, problems)
    data = shape.mapping((), document.data, OF_FILES)
    if data is None:
        problems.raise_any()
        raise SiteError(f"{name}: nothing can be read")  # pragma: no cover
    try:
        ground = Ground(document, path.parent)
    except SiteError as exc:
        for problem in exc.problems:
            problems.add(problem)
        problems.raise_any()
        raise
    listed = shape.list(("scenarios",), data.get("scenarios"))
    _check_titles(shape, listed)
    scenarios = [
        found
        for index, given in enumerate(listed)
        if (found := _scenario(shape, ground, data, given, index)) is not None
    ]
    problems.raise_any()
    return ScenarioFile(file=name, path=path, scenarios=tuple(scenarios), plans=tuple(ground.plans))


def _check_titles(shape: Shape, listed: Sequence[Json]) -> None:
    """A title is a line of its own in every report, so no two are the same and none has two lines."""
    first: dict[str, int] = {}
    for index, given in enumerate(listed):
        title = given.get("scenario") if isinstance(given, dict) else None
        if not isinstance(title, str):
            continue
        path: Path = ("scenarios", index, "scenario")
        if first.setdefault(title.strip(), index) != index:
            line = shape.line(("scenarios", first[title.strip()], "scenario"))
            shape.report(path, f"the title {shown(title)} was already given on line {line}")
        if CONTROL.search(title.strip()):
            shape.report(path, f"found {shown(title)}; a title is one line without control characters")


def _scenario(
    shape: Shape, ground: Ground, file: Mapping[str, Json], given: Json, index: int
) -> Scenario | None:
    path: Path = ("scenarios", index)
    data = shape.mapping(path, given, OF_SCENARIOS)
    if data is None:
        return None
    layers = _layers(shape, file, data, path)
    title = shape.text((*path, "scenario"), data.get("scenario"), "").strip()
    steps = [*enumerate(shape.list((*path, "steps"), data.get("steps")))]
    plan = plan_of(shape, ground, layers)
    if plan is None:
        return None
    begin = _from_both(
        shape, file, data, path, "begin", lambda value: local_moment(value, plan.timezone), local_date(BEGIN)
    )
    reporting = _from_both(shape, file, data, path, "reporting", _switch, otherwise=True)
    teller = Teller(shape, ground, layers, plan, begin, _default_device(shape, file, data, path, plan))
    told = tuple(one for number, step in steps if (one := teller.step((*path, "steps", number), step)))
    check_ramps(told, shape.report)
    check_ends(told, shape.report)
    check_length(told, shape.report, reporting=reporting)
    return Scenario(
        title=title,
        line=shape.line(path),
        plan=plan,
        moments=teller.moments,
        reporting=reporting,
        steps=told,
        never=teller.bans((*path, "never"), data["never"], names_of(told)) if "never" in data else (),
    )


def _layers(
    shape: Shape, file: Mapping[str, Json], data: Mapping[str, Json], path: Path
) -> tuple[Layer, ...]:
    found: list[Layer] = []
    for where, part in (((), file), (path, data)):
        for name, onto in (("lay_over", ()), ("params", ("devices", DEVICE, "params"))):
            if name not in part or shape.mapping((*where, name), part[name], None) is None:
                continue
            if name == "params" and "profile" not in file:
                shape.report(
                    (*where, name), "params goes with profile; of a site, lay over the params of its devices"
                )
                continue
            found.append(Layer((*where, name), onto))
    return tuple(found)


def _from_both(
    shape: Shape,
    file: Mapping[str, Json],
    data: Mapping[str, Json],
    path: Path,
    name: str,
    read: Callable[[Json], ValueT],
    otherwise: ValueT,
) -> ValueT:
    """A field of the scenario, else of the file."""
    for where, part in ((path, data), ((), file)):
        if name in part:
            return shape.take((*where, name), part[name], read, otherwise)
    return otherwise


def _switch(value: Json) -> bool:
    if value not in REPORTING:
        raise ValueError(f"found {shown(value)}; on or off is needed")
    return value == "on"


def _default_device(
    shape: Shape, file: Mapping[str, Json], data: Mapping[str, Json], path: Path, plan: SitePlan
) -> str | None:
    for where, part in ((path, data), ((), file)):
        if "device" in part:
            name = part["device"]
            if isinstance(name, str) and name in plan.devices:
                return name
            shape.report((*where, "device"), unknown("device", str(name), plan.devices))
            return None
    equipment = [*plan.equipment]
    return equipment[0] if len(equipment) == 1 else None
