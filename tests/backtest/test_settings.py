"""Parameters set otherwise on the command line: whom they reach, and what is said of wrong ones."""

from collections.abc import Mapping
from typing import Final

import pytest

from gateway.backtest import lay_over, parse
from gateway.errors import SiteError
from gateway.site import SiteBundle, build_plan

PROFILE: Final = """\
profile: pump
report_every: 10s
points: {temp: {type: float}}
params: {high: 80}
rules: {hot: {levels: {warning: {when: {point: temp, above: $high}}}}}
"""
SITE: Final = """\
site: mill
timezone: UTC
profiles: [pump.yaml]
devices:
  - {id: p1, profile: pump}
  - {id: p2, profile: pump, params: {high: 95}}
"""
PLAN: Final = build_plan(SiteBundle("site.yaml", {"site.yaml": SITE, "pump.yaml": PROFILE}))


def limits(*settings: str) -> Mapping[str, float]:
    plan = lay_over(PLAN, [parse(text) for text in settings])
    return {name: device.kind.params["high"] for name, device in plan.devices.items()}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ((), {"p1": 80, "p2": 95}),
        (("pump.high=70",), {"p1": 70, "p2": 95}),
        (("p2.high=70",), {"p1": 80, "p2": 70}),
        (("p1.high=60", "pump.high=70"), {"p1": 60, "p2": 95}),
        (("pump.high=70", "pump.high=75"), {"p1": 75, "p2": 95}),
    ],
)
def test_a_setting_of_a_profile_reaches_the_devices_without_a_value_of_their_own(
    settings: tuple[str, ...], expected: dict[str, float]
) -> None:
    assert limits(*settings) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pmup.high=70", "unknown device or profile 'pmup'; did you mean 'pump'?"),
        ("pump.hihg=70", "did you mean 'high'?"),
        ("pump.high", "write TARGET.PARAM=VALUE"),
    ],
)
def test_a_wrong_setting_is_answered_with_the_nearest_right_one(text: str, words: str) -> None:
    with pytest.raises(SiteError) as caught:
        limits(text)
    assert words in str(caught.value)


def test_a_setting_that_reaches_nobody_is_said() -> None:
    own = SITE.replace("{id: p1, profile: pump}", "{id: p1, profile: pump, params: {high: 81}}")
    plan = build_plan(SiteBundle("site.yaml", {"site.yaml": own, "pump.yaml": PROFILE}))
    with pytest.raises(SiteError, match="gives every pump a value of its own; name the device"):
        lay_over(plan, [parse("pump.high=70")])
