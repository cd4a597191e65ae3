"""The site a scenario is played on: from a site file, written inline, or made up around one profile; with layers over it."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from typing import NamedTuple

import device_profiles
from gateway.core.plan import SitePlan
from gateway.core.values import Json
from gateway.errors import Problem, SiteError
from gateway.rehearsal.layers import laid_over, reaches
from gateway.site import SiteBundle, build_plan
from gateway.site.bundle import bundle_of, is_relative, is_shipped, read_bundle, read_text
from gateway.site.document import Document, DocumentError, Path, parse
from gateway.site.fields import shown
from gateway.site.problems import Problems, dotted, unknown

SITE = "rehearsal"
DEVICE = "d1"
"""The one device of a site made up around a profile."""

INLINE = "the site"
"""What a site is called that has no file of its own."""

_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


class Layer(NamedTuple):
    """A part of the scenario file that is laid over the site."""

    where: Path
    """Where it stands in the scenario file."""
    onto: tuple[str, ...] = ()
    """Which part of the site it is laid over; empty for the whole."""


class Ground:
    """Builds the plans of one scenario file, each distinct site once.

    Args:
        document: the scenario file.
        folder: where the paths in it start.

    Raises:
        SiteError: there is no site to be read.
    """

    def __init__(self, document: Document, folder: FilePath) -> None:
        self._document, self._folder = document, folder
        self._main = INLINE
        self._bundle: SiteBundle | None = None
        self._base = self._find()
        self._documents: dict[str, Document] = {}
        self._plans: dict[str, SitePlan] = {}

    @property
    def plans(self) -> Sequence[SitePlan]:
        """All that were built, in order."""
        return [*self._plans.values()]

    def plan(self, layers: Sequence[Layer]) -> SitePlan:
        """The site with layers over it.

        Raises:
            SiteError: something in it is wrong; its ``problems`` say where in the owner's files.
        """
        data = self._base
        for layer in layers:
            change = _at(self._document.data, layer.where)
            for name in reversed(layer.onto):
                change = {name: change}
            data = laid_over(data, change)
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        if text not in self._plans:
            try:
                self._plans[text] = self._build(text, plain=not layers)
            except SiteError as exc:
                problems = Problems()
                for problem in exc.problems:
                    problems.add(self._placed(problem, data, layers))
                problems.raise_any()
                raise
        return self._plans[text]

    def _build(self, text: str, *, plain: bool) -> SitePlan:
        if plain and self._bundle is not None:
            return build_plan(self._bundle)
        bundle = bundle_of(self._main, text, self._folder)
        self._documents[self._main] = bundle.document(self._main)
        return build_plan(SiteBundle(bundle.main, bundle.files, self._documents))

    def _find(self) -> Json:
        data = self._document.data
        given = data if isinstance(data, dict) else {}
        if ("site" in given) == ("profile" in given):
            field = "profile" if "site" in given else ""
            words = "found both; choose one" if field else "found neither; the rules of one are to be tried"
            raise self._wrong(
                (field,) if field else (), f"a file names a site or a profile to be tried: {words}"
            )
        if "profile" in given:
            return self._made_up(given["profile"])
        site = given["site"]
        if isinstance(site, dict):
            return site
        if not isinstance(site, str) or not is_relative(site):
            raise self._wrong(
                ("site",), f"found {shown(site)}; a path relative to this file is needed, or a mapping"
            )
        try:
            self._bundle = read_bundle(self._folder / site)
        except SiteError as exc:
            if all(problem.line == 0 for problem in exc.problems):
                raise self._wrong(("site",), "; ".join(one.message for one in exc.problems)) from exc
            self._folder = (self._folder / site).parent
            raise SiteError(str(exc), [self._beside(problem) for problem in exc.problems]) from exc
        self._folder, self._main = (self._folder / site).parent, self._bundle.main
        return self._bundle.document(self._main).data

    def _made_up(self, name: Json) -> Json:
        if not isinstance(name, str) or not is_relative(name):
            raise self._wrong(
                ("profile",), f"found {shown(name)}; the name of a profile, or a path to one, is needed"
            )
        own = name.endswith((".yaml", ".yml")) or "/" in name
        try:
            if own:
                text = read_text(self._folder / name, name)
            else:
                text = device_profiles.profile_path(_public(name)).read_text("utf-8")
            profile = parse(name, text).data
        except SiteError as exc:
            raise self._wrong(("profile",), "; ".join(one.message for one in exc.problems)) from exc
        except KeyError as exc:
            raise self._wrong(("profile",), unknown("profile", name, device_profiles.available())) from exc
        except DocumentError as exc:
            raise SiteError(str(exc), [self._beside(exc.problem)]) from exc
        heading = profile.get("profile") if isinstance(profile, dict) else None
        site: dict[str, Json] = {
            "site": SITE,
            "timezone": "UTC",
            "devices": [{"id": DEVICE, "profile": heading}],
            "work_orders": {template: {} for template in _templates(profile)},
        }
        return {**site, "profiles": [name]} if own else site

    def _wrong(self, path: Path, message: str) -> SiteError:
        problem = Problem(self._document.name, self._document.line(path), dotted(path), message)
        return SiteError(str(problem), [problem])

    def _placed(self, problem: Problem, data: Json, layers: Sequence[Layer]) -> Problem:
        """A problem of the text that was put together, at the place in the owner's files it came from."""
        if problem.file != self._main or (self._bundle is not None and not layers):
            return problem if is_shipped(problem.file) else self._beside(problem)
        path = tuple(int(found[2]) if found[2] else found[1] for found in _PART.finditer(problem.field))
        named = _with_ids(data, path)
        for layer in reversed(layers):
            change = _at(self._document.data, layer.where)
            if named[: len(layer.onto)] != layer.onto:
                continue
            for way in (named[len(layer.onto) :], path[len(layer.onto) :]):
                if reached := reaches(change, way):
                    return self._moved(problem, (*layer.where, *way[:reached]))
        if self._bundle is not None:
            document = self._bundle.document(self._main)
            return self._beside(problem._replace(line=document.line(path)))
        given = self._document.data
        root: Path = ("site",) if isinstance(given, dict) and "site" in given else ("profile",)
        return self._moved(problem, (*root, *path) if root == ("site",) else root)

    def _beside(self, problem: Problem) -> Problem:
        """A problem of a file that is read, called by the way to it."""
        return problem._replace(file=(self._folder / problem.file).as_posix())

    def _moved(self, problem: Problem, path: Path) -> Problem:
        return Problem(self._document.name, self._document.line(path), dotted(path), problem.message)


def _public(name: str) -> str:
    """The name itself, unless it is that of a profile no device can be of."""
    if name not in device_profiles.available():
        raise KeyError(name)
    return name


def _templates(profile: Json) -> list[str]:
    """The work-order templates the rules of a profile name, in order."""
    rules = profile.get("rules") if isinstance(profile, dict) else None
    found: dict[str, None] = {}
    for rule in rules.values() if isinstance(rules, dict) else ():
        orders = rule.get("work_order") if isinstance(rule, dict) else None
        for name in orders.values() if isinstance(orders, dict) else ():
            if isinstance(name, str):
                found[name] = None
    return [*found]


def _at(data: Json, path: Path) -> Json:
    for part in path:
        if isinstance(data, Mapping):
            data = data[str(part)]
        elif isinstance(data, list) and isinstance(part, int):
            data = data[part]
    return data


def _with_ids(data: Json, path: Path) -> Path:
    """The path with ids in the place of indexes, where entries of a list have them."""
    found: list[str | int] = []
    for part in path:
        if isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
            name = data.get("id") if isinstance(data, dict) else None
            found.append(name if isinstance(name, str) else part)
        else:
            data = data.get(str(part)) if isinstance(data, dict) else None
            found.append(part)
    return tuple(found)
