"""A small site for decoders: a pump with points of every type, a plug behind a bridge, a reader of tags."""

from gateway.codecs.decoder import Decoder
from gateway.core.inputs import Fact, Rejection
from gateway.core.values import Message, Millis
from gateway.site import SiteBundle, build_plan

AT: Millis = 1_790_000_000_000

PUMP = """
profile: pump
report_every: 10s
late_accept: 1d
max_future: 2m
points:
  pressure: {type: float, unit: bar, valid: [0.5, 25]}
  flow: {type: float}
  stage: {type: int, valid: [0.5, 3.5]}
  starts: {type: int, counter: true}
  running: {type: bool}
  mode: {type: enum, values: [hand, auto, "a:b"]}
  label: {type: text}
events:
  trip:
    attributes:
      cause: {type: enum, values: [heat, phase]}
      zone: {type: text}
      amps: {type: float}
      test: {type: bool, default: false}
  stopped: {}
"""
PLUG = """
profile: plug
report_every: 1m
codec: flat-json
topics: ["bridge/{device}", "rooms/{room}/{device}/state"]
points: {temperature: {type: float, valid: [-40, 80]}, on: {type: bool}}
"""
READER = "profile: reader\nreport_every: 1m\nevents: {tap: {attributes: {tag: {}, url: {}, guard: {personal: true}}}}\n"
SITE = """
site: mill
timezone: UTC
profiles: [pump.yaml, plug.yaml, reader.yaml]
devices: [{id: p1, profile: pump}, {id: plug-1, profile: plug}, {id: r1, profile: reader}]
"""
PLAN = build_plan(
    SiteBundle("site.yaml", {"site.yaml": SITE, "pump.yaml": PUMP, "plug.yaml": PLUG, "reader.yaml": READER})
)
DECODER = Decoder(PLAN)


def decode(
    payload: bytes | str, topic: str = "facility/mill/p1/telemetry", *, retained: bool = False
) -> list[Fact]:
    """The facts of one message, received at :data:`AT`."""
    raw = payload.encode() if isinstance(payload, str) else payload
    return list(DECODER.decode(Message(topic, raw, retained), AT))


def refused(facts: list[Fact]) -> list[str]:
    """The reasons of those that were refused."""
    return [fact.reason for fact in facts if isinstance(fact, Rejection)]
