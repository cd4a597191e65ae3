import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.plan import SitePlan
from gateway.core.values import MINUTE, SECOND
from simulators.errors import SimulationError
from simulators.fault_orders import fault_orders
from simulators.faults import COMMON_FAULTS, Fault, FaultKind
from simulators.fleet import Fleet, taken_by
from tests.simulators.listening import START
from tests.simulators.sites import the_house


def test_a_fault_is_read_with_its_device_and_times(house: SitePlan) -> None:
    asked = fault_orders(["stuck:lift-1@5m+10m", "sos:reader-1@1m30s+20"], house)
    assert asked == [
        Fault("lift-1", FaultKind.STUCK, 5 * MINUTE, 10 * MINUTE),
        Fault("reader-1", FaultKind.SOS, 90 * SECOND, 20 * SECOND),
    ]


def test_a_profile_stands_for_all_its_devices_and_a_star_for_all_that_take_it(house: SitePlan) -> None:
    assert [fault.device for fault in fault_orders(["entrapment:elevator@0s+1m"], house)] == [
        "lift-1",
        "lift-2",
    ]
    assert [fault.device for fault in fault_orders(["entrapment:*@0s+1m"], house)] == ["lift-1", "lift-2"]
    assert [fault.device for fault in fault_orders(["noise:*@0s+1m"], house)] == list(house.equipment)


def test_the_words_of_everyday_are_taken_too(house: SitePlan) -> None:
    words = ["drop-out", "stuck-value", "duplicates", "reordering", "clock-skew", "reconnect-storms"]
    asked = fault_orders([f"{word}:lift-1@0s+1m" for word in words], house)
    assert [fault.kind for fault in asked] == [
        FaultKind.OFFLINE,
        FaultKind.STUCK,
        FaultKind.DUPLICATE,
        FaultKind.REORDER,
        FaultKind.CLOCK_SKEW,
        FaultKind.RECONNECT_STORM,
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "fault '' cannot be read; write KIND:DEVICE@START+DURATION, such as stuck:lift-1@5m+10m"),
        ("stuck:lift-1", "cannot be read; write KIND:DEVICE@START+DURATION"),
        ("stuck:lift-1@5m", "cannot be read; write KIND:DEVICE@START+DURATION"),
        ("stck:lift-1@5m+1m", "unknown fault 'stck'; did you mean 'stuck'? (allowed: "),
        ("stuck:lift-9@5m+1m", "unknown device 'lift-9'; did you mean 'lift-2'? (allowed: lift-1, lift-2"),
        ("stuck:pump@5m+1m", "nor is it a profile of the site (access_gate, elevator, fire_panel, patrol_r"),
        ("fire_alarm:lift-1@5m+1m", "lift-1 (elevator) has no fault fire_alarm; it takes clock_skew"),
        ("fire_alarm:elevator@5m+1m", "lift-1 (elevator) has no fault fire_alarm; it takes clock_skew"),
        ("stuck:lift-1@soon+1m", "start: found 'soon'; a duration has a unit"),
        ("stuck:lift-1@-1m+1m", "start: found '-1m'; a duration has a unit"),
        ("stuck:lift-1@1m+", "duration: found ''; a duration has a unit"),
        ("stuck:lift-1@1m+99999d", "duration: found '99999d'; a duration is at most"),
        ("stuck:lift-1@1m+0s", "a duration of 0 is no fault"),
        ("stuck:lift-1@10m+1m", "begins 600 s after the start, and the simulation ends after 600 s"),
    ],
)
def test_what_cannot_be_is_refused_with_what_is_allowed(house: SitePlan, text: str, words: str) -> None:
    with pytest.raises(SimulationError, match=re.escape(words)):
        fault_orders([text], house, length=10 * MINUTE)


@given(
    text=st.one_of(
        st.text(max_size=30),
        st.builds(
            "{}:{}@{}+{}".format,
            st.sampled_from(["stuck", "sos", "x", "", "noise"]),
            st.sampled_from(["lift-1", "*", "elevator", "", "lift-9"]),
            st.text(alphabet="0123456789smh.-+ ", max_size=8),
            st.text(alphabet="0123456789smhd٣²", max_size=8),
        ),
    )
)
def test_any_text_is_a_fault_that_fits_or_is_refused_in_words(text: str) -> None:
    try:
        asked = fault_orders([text], the_house())
    except SimulationError as error:
        words = str(error)
        assert words.startswith("fault ")
        return
    assert asked
    Fleet(the_house(), seed=1, start=START, faults=asked)


def test_every_device_takes_what_any_device_takes(house: SitePlan) -> None:
    for device in house.equipment.values():
        assert taken_by(device) >= COMMON_FAULTS
