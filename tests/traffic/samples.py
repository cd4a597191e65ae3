"""Lines of every kind a traffic file can hold."""

from hypothesis import strategies as st

from gateway.core.inputs import Command, LinkLost, LinkUp, Rejection, Started, Tap, Tick
from gateway.core.values import Message, Millis, Seal
from gateway.traffic import Line, Setup, TrafficInput

START: Millis = 1_790_000_000_000
TEXT = st.text(max_size=30)
NAME = st.text("abc-123/", min_size=1, max_size=20)
PAYLOAD = st.one_of(
    st.binary(max_size=60), TEXT.map(str.encode), st.just(b'{"values":{"temp":20.5}}'), st.just(b"\n\r\x00{")
)
SEALS = st.dictionaries(TEXT, st.builds(Seal, st.sampled_from(["good", "forged"]), NAME, st.integers(0, 99)))


def inputs(at: Millis) -> st.SearchStrategy[TrafficInput]:
    """Any input at a moment."""
    return st.one_of(
        st.builds(Message, NAME, PAYLOAD, st.booleans()),
        st.builds(Message, NAME, PAYLOAD, st.booleans(), st.integers(0, at), st.none() | SEALS),
        st.builds(
            Command,
            at=st.just(at),
            id=NAME,
            actor=TEXT,
            verb=st.just("alert.ack"),
            target=NAME,
            args=st.dictionaries(NAME, st.one_of(TEXT, st.integers(-9, 9), st.booleans(), st.none())),
            expect=st.none() | st.integers(0, 9),
        ),
        st.builds(Tap, at=st.just(at), id=NAME, source=NAME, ts=st.integers(0, at), url=st.none() | TEXT),
        st.builds(LinkLost, st.just(at), TEXT),
        st.just(LinkUp(at)),
        st.just(Tick(at)),
        st.builds(Started, st.just(at), st.none() | st.integers(0, at)),
        st.builds(Rejection, st.just(at), st.none() | NAME, NAME, NAME, TEXT, st.just(b"")),
        st.builds(Setup, st.just(at), NAME, st.none() | TEXT.filter(bool).map(str.encode)),
    )


@st.composite
def lines(draw: st.DrawFn) -> list[Line]:
    """Some lines in order of time."""
    at, found = START, []
    for number in range(1, draw(st.integers(1, 12)) + 1):
        at += draw(st.sampled_from([0, 1, 250, 60_000]))
        one = draw(inputs(at))
        found.append(Line(number, at, one, draw(st.integers(0, 2)) if isinstance(one, Message) else 1))
    return found
