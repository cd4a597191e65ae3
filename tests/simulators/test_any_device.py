from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.codecs.decoder import Decoder
from gateway.core.inputs import Telemetry
from gateway.core.plan import Kind, Point, SitePlan
from gateway.core.values import HOUR, Message, PointType, Title
from simulators.fleet import Fleet
from tests.simulators.listening import START
from tests.simulators.sites import the_house

TITLE = Title("Pump", "水泵")


def pump(house: SitePlan) -> SitePlan:
    points = {
        "run": Point(name="run", type=PointType.BOOL, title=TITLE),
        "state": Point(name="state", type=PointType.ENUM, title=TITLE, values=("idle", "busy")),
        "serial": Point(name="serial", type=PointType.TEXT, title=TITLE),
        "current": Point(name="current", type=PointType.FLOAT, title=TITLE, valid=(0.0, 30.0)),
        "level": Point(name="level", type=PointType.INT, title=TITLE, valid=(-5.0, 5.0)),
        "starts": Point(name="starts", type=PointType.INT, title=TITLE, counter=True),
        "hours": Point(name="hours", type=PointType.FLOAT, title=TITLE, counter=True),
    }
    kind = Kind(profile="pump", title=TITLE, points=points, events={}, rules={}, report_every=10_000)
    return replace(house, devices={"pump-1": replace(house.devices["lift-1"], id="pump-1", kind=kind)})


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_profile_without_a_model_gets_plausible_values(seed: int) -> None:
    plan = pump(the_house())
    decoder = Decoder(plan)
    last: dict[str, float] = {"starts": 0, "hours": 0}
    reports = 0
    for sent in Fleet(plan, seed=seed, start=START).advance(START + HOUR - 1):  # or both ends are in it
        for fact in decoder.decode(Message(sent.topic, sent.payload, sent.retain), sent.at):
            if isinstance(fact, Telemetry):
                reports += 1
                assert fact.values.keys() == plan.devices["pump-1"].kind.points.keys()
                for name, count in last.items():
                    value = fact.values[name]
                    assert isinstance(value, (int, float))
                    assert value >= count
                    last[name] = value
    assert reports == 360
