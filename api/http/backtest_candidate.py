"""The candidate of a backtest: the site in force with some files and parameters otherwise, from text alone.

Nothing is read from the disk: the names in a candidate are those of texts that were sent or are in force, so a path
that leads elsewhere leads nowhere.
"""

from collections.abc import Iterable, Mapping, Sequence

import device_profiles
from gateway.backtest import lay_over, parse
from gateway.core.plan import SitePlan
from gateway.core.values import Json
from gateway.errors import Problem, SiteError
from gateway.site import SiteBundle, build_plan
from gateway.site.bundle import internal_profiles, is_shipped, shipped_name
from gateway.site.document import Document, DocumentError
from gateway.site.document import parse as parse_document

SET = "set"
"""In the place of a file, for what is wrong with a parameter that was set."""
_PATROL = ("checkpoints", "routes", "guards", "patrol")
"""Sections of the site file that need the gateway's own profiles."""


def candidate_plan(
    bundle: SiteBundle, now: SitePlan, files: Mapping[str, str], wanted: Sequence[str]
) -> SitePlan:
    """What a candidate means.

    Args:
        bundle: the text of the site now.
        now: the plan built from it.
        files: texts by name, in the place of those in force or beside them.
        wanted: parameters set on top, each as ``TARGET.PARAM=VALUE``.

    Raises:
        SiteError: something is wrong; its ``problems`` hold all of it, with ``set`` in the place of a file for parameters.
    """
    other = build_plan(candidate_bundle(bundle, files)) if files else now
    if other.site != now.site:
        line = parse_document(bundle.main, files[bundle.main]).line(("site",))
        words = f"found {other.site!r}; the site now is {now.site!r}, and nothing recorded at one speaks of the other"
        raise _error([Problem(bundle.main, line, "site", words)])
    try:
        return lay_over(other, [parse(text) for text in wanted])
    except SiteError as error:
        raise _error([_of_setting(line, wanted) for line in str(error).splitlines()]) from error


def candidate_bundle(now: SiteBundle, files: Mapping[str, str]) -> SiteBundle:
    """The texts of the site now with others laid over by name, and only those that are used.

    Raises:
        SiteError: a file is missing, is of no use, or the site file is no YAML.
    """
    given = {name: _as_read(text) for name, text in files.items()}
    texts = {**now.files, **given}
    try:
        document = parse_document(now.main, texts[now.main])
    except DocumentError as error:
        raise _error([error.problem]) from error
    used = {now.main: texts[now.main]}
    wrong: list[Problem] = []
    for index, name in _listed(document.data):
        if name in texts and not is_shipped(name):
            used[name] = texts[name]
        else:
            line = document.line(("profiles", index))
            words = f"{name[:100]!r} is neither in force nor among the files given"
            wrong.append(Problem(now.main, line, f"profiles[{index}]", words))
    wrong += [Problem(name, 0, "", _useless(name, now)) for name in given if name not in used]
    if wrong:
        raise _error(wrong)
    used |= {name: now.files.get(name, text) for name, text in _shipped(document)}
    return SiteBundle(now.main, used)


def _as_read(text: str) -> str:
    """The text as it would be read from a file, so that equal files have equal digests."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _listed(data: Json) -> list[tuple[int, str]]:
    """The names among ``profiles`` with their indexes; anything else is left to the validation."""
    found = data.get("profiles") if isinstance(data, dict) else None
    names = enumerate(found) if isinstance(found, list) else ()
    return [(index, name) for index, name in names if isinstance(name, str) and name.strip()]


def _shipped(document: Document) -> Iterable[tuple[str, str]]:
    """The shipped profiles that the devices and the patrol of a site file need."""
    data = document.data if isinstance(document.data, dict) else {}
    devices = data.get("devices")
    used = (
        {one.get("profile") for one in devices if isinstance(one, dict)}
        if isinstance(devices, list)
        else set()
    )
    for profile in device_profiles.available():
        if profile in used:
            yield shipped_name(profile), device_profiles.profile_path(profile).read_text("utf-8")
    if any(data.get(section) for section in _PATROL):
        yield from internal_profiles().items()


def _useless(name: str, now: SiteBundle) -> str:
    if is_shipped(name):
        return "it comes with the gateway; list a profile of your own of the same name to change it"
    own = ", ".join(sorted(one for one in now.files if not is_shipped(one)))
    return f"the candidate does not use it: it is not among its profiles; the files in force are {own}"


def _of_setting(line: str, wanted: Sequence[str]) -> Problem:
    """A line of what is wrong with parameters, with the one it speaks of as its field."""
    found = next((one for one in map(parse, wanted) if line.startswith(f"{one}")), None)
    field = "" if found is None else f"{found.target}.{found.param}"
    return Problem(SET, 0, field, line.removeprefix(f"{found}: "))


def _error(problems: Sequence[Problem]) -> SiteError:
    return SiteError("\n".join(map(str, problems)), problems)
