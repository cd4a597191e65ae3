"""The site file of a blown-up site, so that a gateway knows the devices a simulation has."""

import itertools
import json
import os
from collections.abc import Callable
from pathlib import Path

from gateway.core.values import Json
from gateway.site.bundle import read_bundle
from gateway.site.plan_builder import load_site
from simulators.errors import SimulationError
from simulators.scale import blow_up, copy_of

OWN = ("id", "tags", "title")
"""What a copy does not take over: tags hang at one place only."""


def write_site(site: Path, devices: int, file: Path) -> None:
    """Write a site file like ``site`` with so many devices, named as :func:`simulators.scale.blow_up` names them.

    Paths in it are written as they are seen from the new file.

    Args:
        site: the site file to start from.
        devices: how many devices, at least those of the site.
        file: the file to write.

    Raises:
        SimulationError: the number cannot be, or the file cannot be written.
        SiteError: the site file is wrong.
    """
    plan = load_site(site)
    own = len(plan.equipment)
    if devices < own:
        raise SimulationError(f"a site file of {devices} devices cannot be written: {site} itself has {own}")
    blow_up(plan, devices)
    bundle = read_bundle(site)
    data = bundle.document(bundle.main).data
    if not isinstance(data, dict):
        raise SimulationError(f"{site} is no mapping")  # pragma: no cover  load_site has refused it
    data = _moved(data, site.parent, file.parent)
    lines = [f"# {site.name} with {devices} devices, written by fgw simulate --write-site"]
    lines += [f"{key}: {_text(value)}" for key, value in data.items() if key != "devices"]
    lines += ["devices:", *(f"  - {_text(one)}" for one in _entries(data["devices"], devices))]
    _save(file, "\n".join(lines) + "\n")


def _entries(given: Json, devices: int) -> list[dict[str, Json]]:
    patterns = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    made = list(patterns)
    for number, pattern in zip(range(len(patterns), devices), itertools.cycle(patterns), strict=False):
        rest = {key: value for key, value in pattern.items() if key not in OWN}
        made.append({"id": copy_of(str(pattern["id"]), number), **rest})
    return made


def _moved(data: dict[str, Json], old: Path, new: Path) -> dict[str, Json]:
    """The same with paths that lead to the same files from another folder."""

    def moved(path: Json) -> str:
        return Path(os.path.relpath(old / str(path), new)).as_posix()

    made = dict(data)
    if isinstance(profiles := data.get("profiles"), list):
        made["profiles"] = [moved(path) for path in profiles]
    buildings = data.get("buildings")
    if isinstance(buildings, dict):
        made["buildings"] = {name: _pictures_moved(entry, moved) for name, entry in buildings.items()}
    return made


def _pictures_moved(building: Json, moved: Callable[[Json], str]) -> Json:
    """A building whose floor plans are looked for from another folder."""
    floors = building.get("floors") if isinstance(building, dict) else None
    if not isinstance(building, dict) or not isinstance(floors, dict):
        return building
    made: dict[str, Json] = {
        name: {**floor, "plan": moved(floor["plan"])}
        if isinstance(floor, dict) and "plan" in floor
        else floor
        for name, floor in floors.items()
    }
    return {**building, "floors": made}


def _text(value: Json) -> str:
    """As JSON, which YAML is a superset of."""
    return json.dumps(value, ensure_ascii=False)


def _save(file: Path, text: str) -> None:
    """Write the whole file or leave what was there."""
    part = file.with_name(f"{file.name}.part")
    try:
        part.write_text(text, "utf-8")
        part.replace(file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise SimulationError(f"{file} cannot be written: {error.strerror}") from error
