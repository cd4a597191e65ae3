"""Whatever is done to a good site or profile, it is either still good or refused with its problems."""

import json
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.values import Json
from gateway.errors import Problem, SiteError
from gateway.site import SiteBundle, build_plan
from gateway.site.document import Path, parse
from tests.site.test_plan_builder import CONDITIONS
from tests.site.test_planned import OFFICE
from tests.site.texts import PATROLLED, bundle, patrolled, rules

ACTIVE = """
    low:
      levels: {warning: {when: {all: [{point: pressure, below: 2}, {during: {mon-fri: "08:00-18:00"}}]}}}
      active: {outside: office}
      re_alarm: 4h
      shelve_max: 2h
      flapping: {transitions: 4, within: 1m}
    burst: {shelvable: false, levels: {critical: {when: {point: pressure, above: 20}}}}
"""
SUPPRESSED = """\
suppressions:
  by_hand: {when: {point: mode, is: hand}, for: 10s, clear: {for: 1m}, rules: [low]}
"""
FILES: dict[str, Json] = {
    "site": parse("site", OFFICE).data,
    "pump": parse("pump", rules(CONDITIONS + ACTIVE) + SUPPRESSED).data,
    "patrol": parse("patrol", PATROLLED).data,
}
TEXTS = {file: json.dumps(data) for file, data in FILES.items()}
JUNK = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        1.5,
        10**400,
        "",
        "$x",
        "yes",
        "30s",
        "3x",
        [],
        {},
        [1],
        [None],
        {"a": None},
        {"point": "mode"},
        "FREQ=DAILY;COUNT=0",
        "24:00-00:00",
        "9999-12-31",
        "2026-02-29 25:61",
        "office",
        "pump-1",
        "gate",
        "06:00",
        "04A22B1C3D5E80",
        {"id": "gate"},
        ["gate", "gate"],
    ]
) | st.text(max_size=8)


def paths(data: Json, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    inside = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inside:
        yield from paths(value, (*path, key))


def damaged(data: Json, path: Path, junk: Json) -> Json:
    """The data with something else at the path."""
    if not path:
        return junk
    if isinstance(data, dict):
        return {
            key: damaged(value, path[1:], junk) if key == path[0] else value for key, value in data.items()
        }
    if isinstance(data, list):
        return [
            damaged(value, path[1:], junk) if index == path[0] else value for index, value in enumerate(data)
        ]
    return data


def outcome(given_bundle: SiteBundle) -> tuple[Problem, ...] | None:
    """The problems, or None when it is still good."""
    try:
        build_plan(given_bundle)
    except SiteError as exc:
        return exc.problems
    return None


@given(
    place=st.sampled_from([(name, path) for name, data in FILES.items() for path in paths(data)]), junk=JUNK
)
def test_damage_anywhere_is_told_and_never_crashes(place: tuple[str, Path], junk: Json) -> None:
    name, path = place
    texts = dict(TEXTS)
    texts[name] = json.dumps(damaged(FILES[name], path, junk), ensure_ascii=True)
    found = outcome(
        patrolled(texts["patrol"]) if name == "patrol" else bundle(texts["site"], pump=texts["pump"])
    )
    assert found is None or (found and all(problem.message and problem.file for problem in found))
