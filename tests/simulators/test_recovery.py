"""Any mixture of faults: nothing breaks, and when they are over every device is well again."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.codecs.decoder import Decoder
from gateway.core.inputs import Rejection
from gateway.core.values import HOUR, MINUTE, SECOND, Message
from simulators.faults import COMMON_FAULTS, Fault, FaultKind
from simulators.fleet import MODELS, Fleet
from tests.simulators.listening import START, Heard, hear, snapshots, values
from tests.simulators.sites import the_house


def faults_of(device: str) -> st.SearchStrategy[list[Fault]]:
    kinds = MODELS[the_house().devices[device].kind.profile].own_faults | COMMON_FAULTS - {
        FaultKind.MALFORMED
    }
    fault = st.builds(
        Fault,
        device=st.just(device),
        kind=st.sampled_from(sorted(kinds)),
        start=st.integers(0, 10 * MINUTE),
        duration=st.one_of(st.integers(1, 5 * SECOND), st.integers(1, 10 * MINUTE)),
    )
    return st.lists(fault, max_size=8)


def live(device: str, faults: list[Fault], seed: int) -> list[Heard]:
    """Everything the device says in an hour; the gateway must take all of it."""
    decoder = Decoder(the_house())
    sent = Fleet(the_house(), seed=seed, start=START, faults=faults, only={device}).advance(START + HOUR)
    for one in sent:
        for fact in decoder.decode(Message(one.topic, one.payload, one.retain), one.at):
            assert not isinstance(fact, Rejection), fact
    return [hear(one) for one in sent]


@settings(max_examples=60, deadline=None)
@given(faults=faults_of("lift-1"), seed=st.integers(0, 2**32))
def test_a_car_runs_again(faults: list[Fault], seed: int) -> None:
    heard = live("lift-1", faults, seed)
    late = [known for at, known in snapshots(heard) if at > 25 * MINUTE]
    assert {known["fault"] for known in late} == {"none"}
    assert {known["door"] for known in late} == {"closed", "opening", "open", "closing"}
    assert {known["moving"] for known in late} == {True, False}
    assert not [known for known in late if known["moving"] and known["door"] != "closed"]
    assert all(known["motor_temp"] < 80 for known in late)
    floors = [floor for at, floor in values(heard, "floor") if at > 25 * MINUTE]
    assert min(floors) >= -1
    assert max(floors) <= 6


@settings(max_examples=40, deadline=None)
@given(faults=faults_of("fire-1"), seed=st.integers(0, 2**32))
def test_a_panel_is_without_alarm_again(faults: list[Fault], seed: int) -> None:
    late = [known for at, known in snapshots(live("fire-1", faults, seed)) if at > 25 * MINUTE]
    assert {known["alarm_zones"] for known in late} == {0}
    assert {known["mains_lost"] for known in late} == {False}
    assert {known["earth_fault"] for known in late} == {False}


@settings(max_examples=40, deadline=None)
@given(faults=faults_of("gate-1"), seed=st.integers(0, 2**32))
def test_a_gate_opens_and_closes_again(faults: list[Fault], seed: int) -> None:
    late = [known for at, known in snapshots(live("gate-1", faults, seed)) if at > 25 * MINUTE]
    assert {known["alarm_state"] for known in late} == {"normal"}
    assert {known["door"] for known in late} == {"open", "closed"}


@settings(max_examples=40, deadline=None)
@given(faults=faults_of("reader-1"), seed=st.integers(0, 2**32))
def test_a_reader_has_power_and_the_right_time_again(faults: list[Fault], seed: int) -> None:
    heard = live("reader-1", faults, seed)
    late = [known for at, known in snapshots(heard) if at > 40 * MINUTE]
    assert all(known["battery"] > 15 for known in late)
    assert all(abs(known["clock_offset"]) < 5 for known in late)
