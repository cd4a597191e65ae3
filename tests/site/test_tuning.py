"""Parameters laid over those of the files while the gateway runs."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from gateway.core.plan import Device, Setting, SitePlan
from gateway.site import build_plan
from gateway.site.library import Library
from gateway.site.problems import Problems
from gateway.site.terms import ALONE
from gateway.site.tuning import FileTuner
from tests.site.texts import SITE, bundle, rules

LIMITS = """
    r:
      levels:
        warning: {when: {point: pressure, above: $pressure_low}, for: $dry_after}
        critical: {when: {point: pressure, above: $pressure_high}}
      active: office
"""
TWO = (
    SITE
    + "  - {id: pump-2, profile: pump, params: {pressure_high: 8}}\n"
    + 'params: {pump: {dry_after: 1m}}\ncalendars: {office: {hours: {daily: "08:00-18:00"}}}\n'
)


@cache
def plan(site: str = TWO) -> SitePlan:
    return build_plan(bundle(site, pump=rules(LIMITS)))


def written(settings: dict[str, Setting]) -> Device:
    """The device when the site file gives it these parameters."""
    given = ", ".join(f"{name}: {value}" for name, value in settings.items())
    return plan(TWO.replace("floor: L0}", f"floor: L0, params: {{{given}}}}}")).devices["pump-1"]


def tuned(found: Device | list[str]) -> Device:
    assert isinstance(found, Device), found
    return found


@effort(max_examples=30, deadline=None)
@given(
    low=st.floats(0.5, 9).map(lambda value: round(value, 2)),
    high=st.integers(10, 24),
    seconds=st.integers(0, 10_000),
)
def test_tuned_equals_the_same_parameters_in_the_site_file(low: float, high: int, seconds: int) -> None:
    settings: dict[str, Setting] = {"pressure_low": low, "pressure_high": high, "dry_after": f"{seconds}s"}
    found, expected = tuned(plan().tuner("pump-1", settings)), written(settings)
    assert replace(found, origins={}) == replace(
        expected, origins={}
    )  # the origin is that of the files' value


def test_run_time_is_stronger_than_device_site_and_profile_which_keep_the_rest() -> None:
    found = tuned(plan().tuner("pump-2", {"pressure_low": 3})).kind.params
    assert found == {"pressure_low": 3.0, "pressure_high": 8.0, "dry_after": 60_000.0}
    found = tuned(plan().tuner("pump-2", {"pressure_high": 12.5, "dry_after": "90s"})).kind.params
    assert found == {"pressure_low": 2.0, "pressure_high": 12.5, "dry_after": 90_000.0}


def test_equal_parameters_share_one_kind_and_those_of_the_files_are_theirs() -> None:
    here = plan()
    one, two = (
        tuned(here.tuner(name, {"pressure_high": 9, "pressure_low": 3})) for name in ("pump-1", "pump-2")
    )
    assert one.kind is two.kind
    assert tuned(here.tuner("pump-1", {"pressure_high": 8.0})).kind is here.devices["pump-2"].kind
    assert here.tuner("pump-1", {}) is here.devices["pump-1"]
    assert here.tuner("pump-2", {"dry_after": "60s"}) is here.devices["pump-2"]
    assert (one.id, one.building, one.series) == ("pump-1", "hall", here.devices["pump-1"].series)


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({"presure_low": 1}, "presure_low: unknown parameter of pump: 'presure_low'; did you mean 'pressure_low'?"),
        ({"pressure_low": "30s"}, "pressure_low: found the duration 30s; a number such as 2 is needed"),
        ({"dry_after": 30}, "dry_after: found the number 30; a duration such as 30s is needed"),
        ({"dry_after": "soon"}, "dry_after: found 'soon'; a duration has a unit"),
        ({"pressure_low": True}, "pressure_low: found true; a parameter is a finite number or a duration"),
        ({"pressure_low": float("nan")}, "pressure_low: found nan; a parameter is a finite number"),
        ({"pressure_low": 30}, "with these parameters rules.r.levels.warning.when.above of pump is wrong: above 30 says nothing"),
        ({"pressure_low": 11}, "with these parameters rules.r.levels.critical of pump is wrong: above 10 is reached before"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_every_time(settings: dict[str, Setting], wrong: str) -> None:
    tuner = plan().tuner
    for _ in range(2):
        found = tuner("pump-1", settings)
        assert isinstance(found, list)
        assert any(one.startswith(wrong) for one in found), found


def test_all_that_is_wrong_is_said_at_once() -> None:
    found = plan().tuner("pump-1", {"dry_after": 30, "pressure_low": "x", "loud": 1})
    assert isinstance(found, list)
    assert sorted(one.split(":")[0] for one in found) == ["dry_after", "loud", "pressure_low"]


def test_a_device_that_is_not_there() -> None:
    found = plan().tuner("pump-3", {"pressure_low": 1})
    assert isinstance(found, list)
    assert found[0].startswith("unknown device 'pump-3'; did you mean 'pump-2'?")


def test_plans_of_the_same_text_are_equal_and_those_of_another_are_not() -> None:
    again = build_plan(bundle(TWO, pump=rules(LIMITS)))
    assert plan() == again
    assert hash(plan().tuner) == hash(again.tuner)
    assert plan().tuner != plan(TWO.replace("8}", "9}")).tuner


class Unlisted(dict[str, Device]):
    """Devices that may be looked up, not gone through."""

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("somebody went through the whole site")

    keys = items = values = __iter__  # type: ignore[assignment]


def test_tuning_one_device_does_not_go_through_the_site() -> None:
    library = Library(bundle(TWO, pump=rules(LIMITS)), Problems(), ALONE)
    tuner = FileTuner("", Unlisted(plan().devices), library)
    assert tuned(tuner("pump-1", {"pressure_low": 3})).kind.params["pressure_low"] == 3.0
