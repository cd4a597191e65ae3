"""The stage: the engine and its decoder, fed with the lines of a traffic file."""

from collections.abc import Callable, Iterator, Sequence

from gateway.codecs.decoder import Decoder
from gateway.core.effects import Effects
from gateway.core.engine import Engine
from gateway.core.inputs import Configured, Fact, Input, LinkLost, LinkUp, Started, Tick
from gateway.core.plan import SitePlan
from gateway.core.state import State
from gateway.core.values import Message, Millis
from gateway.traffic.lines import Line, Setup


class Stage:
    """Judges the lines of a file as a gateway would that was new at the first of them.

    A file that begins with a start of the gateway says by itself when devices could be seen. Any other, such as a
    recording, is taken as of a gateway that came up at its first line and was connected from the first message on.

    Args:
        plan: the site in force at the beginning.
        plan_of: the site that a configuration in the file brings into force; None passes it over. By default all are
            passed over: the whole file is judged by ``plan``.
    """

    def __init__(self, plan: SitePlan, plan_of: Callable[[Setup], SitePlan | None] = lambda _: None) -> None:
        self.engine = Engine(plan, State())
        self.passed_over = 0
        """Configurations in the file that were not put in force."""
        self.from_the_start = False
        """Whether the file begins with the very first start of its gateway, so that nothing was known before it."""
        self.inputs = 0
        self.messages = 0
        self._decoder = Decoder(plan)
        self._plan, self._plan_of = plan, plan_of
        self._begun = self._configured = self._linked = False
        self._now: Millis = 0

    @property
    def now(self) -> Millis:
        """The moment the file has reached, milliseconds UTC; 0 before its first line."""
        return self._now

    @property
    def plan(self) -> SitePlan:
        """The site in force, with what was tuned at run time."""
        return self.engine.plan

    def take(self, lines: Sequence[Line]) -> Iterator[Effects]:
        """What some lines lead to, in order; how a file is cut into parts changes nothing."""
        if not lines:
            return
        inputs: list[Input] = [] if self._begun else self._begin(lines[0])
        decode: Callable[[Message, Millis], Sequence[Fact]] = self._decoder.decode
        messages = 0
        for _, at, one, _ in lines:
            if type(one) is Message:
                if not self._linked:
                    inputs.extend(self._link(at))
                messages += 1
                inputs += decode(one, at)
                continue
            for other in self._others(at, one):
                inputs.append(other)
                if type(other) is Configured:  # what comes next is read by the new plan
                    yield self._step(inputs)
                    inputs, decode = [], self._decode_by(other.plan)
        self._now = lines[-1].at
        self.messages += messages
        yield self._step(inputs)

    def pass_by(self, until: Millis) -> Effects:
        """Let time pass: every timer due at or before ``until`` fires at its own due time."""
        self._now = max(self._now, until)
        return self._step([Tick(self._now)])

    def _step(self, inputs: Sequence[Input]) -> Effects:
        self.inputs += len(inputs)
        return self.engine.step(inputs)

    def _begin(self, first: Line) -> list[Input]:
        """A gateway comes up, where the file does not tell of it."""
        self._begun = True
        if isinstance(first.input, Started):
            self.from_the_start = first.input.last is None
            return []
        if isinstance(first.input, Setup):
            return [Started(first.at, None)]
        self._configured = True
        return [Started(first.at, None), Configured(first.at, self._plan)]

    def _link(self, at: Millis) -> Iterator[Input]:
        """A message has come, so its gateway was connected, although the file does not tell of it."""
        self._linked = True
        if not self._configured:
            self._configured = True
            yield Configured(at, self._plan)
        yield LinkUp(at)

    def _others(self, at: Millis, one: object) -> Iterator[Input]:
        """What is no message, as inputs; the first start is followed by the site in force."""
        if isinstance(one, Setup):
            plan = self._plan_of(one)
            if plan is not None:
                self._configured = True
                yield Configured(at, plan)
            elif not self._configured:
                self._configured = True
                yield Configured(at, self._plan)
            elif one.digest != self.engine.plan.digest:
                self.passed_over += 1
            return
        if not self._configured and not isinstance(one, Started):
            self._configured = True
            yield Configured(at, self._plan)
        if isinstance(one, LinkUp | LinkLost):
            self._linked = True
        yield one  # type: ignore[misc]  # all that a line can hold beside messages and configurations is an input

    def _decode_by(self, plan: SitePlan) -> Callable[[Message, Millis], Sequence[Fact]]:
        self._decoder = self._decoder.anew(plan)
        return self._decoder.decode
