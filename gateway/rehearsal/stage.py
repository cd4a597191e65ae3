"""The stage: the real decoder, engine and clock, with the time in the rehearsal's hands."""

from collections.abc import Callable, Sequence

import msgspec

from gateway.clock import Clock
from gateway.codecs.decoder import Decoder
from gateway.codecs.scan import Fault
from gateway.codecs.tap_json import Upload, read_tap
from gateway.core.effects import Effects
from gateway.core.engine import Engine
from gateway.core.inputs import Configured, Input, LinkLost, LinkUp, Rejection, Started, Tap, Tick
from gateway.core.plan import SitePlan
from gateway.core.state import State
from gateway.core.values import Json, Message, Millis
from gateway.rehearsal.records import Records, Refused
from gateway.rehearsal.scenario import Step
from gateway.rehearsal.seals import KEYS
from gateway.rehearsal.timeline import Sent


class PhoneUpload:
    """Taps on their way from a phone.

    Args:
        phone: its id.
        taps: the taps as it sends them.
        skew: how far its clock is ahead.
        step: the step that sends them.
    """

    def __init__(self, phone: str, taps: list[dict[str, Json]], skew: Millis, step: Step) -> None:
        self.phone, self.taps, self.skew, self.step = phone, taps, skew, step

    def inputs(self, at: Millis, now: Millis, decoder: Decoder) -> list[Input]:
        """What the gateway makes of them: ``at`` by its own clock, ``now`` in truth."""
        given = self.step.given
        token, queued = given.get("token"), given.get("queued")
        upload = Upload(
            at,
            self.phone,
            decoder.seal_of,
            sent=now + self.skew,
            by=token if isinstance(token, str) else None,
        )
        held = queued if isinstance(queued, int) else None
        found: list[Input] = []
        before: Millis | None = None
        for index, body in enumerate(self.taps):
            left = len(self.taps) - index - 1
            tap, faults = read_tap(body, upload, before, f"ask-{self.step.line}-{index}")
            topic = f"phone {self.phone}"
            if isinstance(tap, Fault):
                faults = [tap]
            else:
                before = tap.ts
                waits = (held or 0) + left if left else held
                found.append(msgspec.structs.replace(tap, queued=waits))
            found += [Rejection(at, None, topic, fault.reason, fault.detail, b"") for fault in faults]
        return found


class Stage:
    """One gateway on one site, from the beginning of a scenario on.

    Args:
        plan: the site.
        begin: when the scenario begins, in milliseconds UTC.
        heed: looks at whatever a step of the engine led to.
    """

    def __init__(self, plan: SitePlan, begin: Millis, heed: Callable[[Effects], None]) -> None:
        self.records = Records()
        self._begin, self._heed = begin, heed
        self._elapsed: Millis = 0
        self._shift: Millis = 0
        self._back_at: Millis | None = None
        self._plan = self._configured = plan
        self._linked = False
        self._cut = False
        self._waiting: list[Sent] = []
        self._uploads: list[PhoneUpload] = []
        self.engine, self._decoder = Engine(plan, State()), Decoder(plan, KEYS)
        self._clock = self._clock_from(0)
        self._take([Started(self.now, None), Configured(self.now, plan)])
        self._connect()
        self.records.settle()

    @property
    def now(self) -> Millis:
        """The moment it is by the gateway's clock."""
        return self._clock.now()

    @property
    def down(self) -> bool:
        """Whether the gateway is not running."""
        return self._back_at is not None

    def reach(self, at: Millis) -> None:
        """Let time go on to so long after the beginning."""
        if self._back_at is not None and at >= self._back_at:
            self._elapsed = self._back_at
            self._come_back()
        self._elapsed = at
        if self._back_at is None:
            self._let_pass()

    def _let_pass(self) -> None:
        """Every timer that is due comes up, each in a turn of its own so that nothing between two is missed."""
        now, engine = self._clock.now(), self.engine
        while (due := engine.next_due()) is not None and due <= now:
            self._take([Tick(due)])

    def hear(self, sent: Sent) -> None:
        """A message of a device, if anybody listens."""
        if self._back_at is not None or not self._linked:
            if not sent.live:
                self._waiting.append(sent)
            return
        facts = self._decoder.decode(Message(sent.topic, sent.payload, sent.retained), self._clock.now())
        for fact in facts:
            if type(fact) is Rejection:
                self.records.refused.append(Refused(fact, sent.step))
        self._take(facts)

    def upload(self, upload: PhoneUpload) -> None:
        """Taps of a phone; while the gateway is down the phone keeps them."""
        if self.down:
            self._uploads.append(upload)
            return
        inputs = upload.inputs(self.now, self._begin + self._elapsed, self._decoder)
        self.records.refused += [Refused(one, upload.step) for one in inputs if isinstance(one, Rejection)]
        self._take([one for one in inputs if isinstance(one, Tap)])

    def take(self, *inputs: Input) -> None:
        """What a person or an administrator does."""
        self._take(inputs)

    def configure(self, plan: SitePlan) -> None:
        """Put another site in force; where the gateway is down, when it is back."""
        self._plan = plan
        if not self.down:
            self._configured, self._decoder = plan, self._decoder.anew(plan)
            self._take([Configured(self.now, plan)])

    def set_clock(self, by: Millis) -> None:
        """The machine's clock is set forward, or back where ``by`` is negative."""
        self._shift += by
        if not self.down:
            self._let_pass()

    def restart(self, after: Millis) -> None:
        """Kill the gateway; it is back after so long, with what its disk has."""
        self._take([Tick(self.now)])
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(self.engine.state), type=State)
        self.engine = Engine(self._plan, state)
        self.records.recall(state)
        self._linked = False
        self._back_at = self._elapsed + after

    def link(self, *, up: bool) -> None:
        """The connection to the broker comes or goes."""
        self._cut = not up
        if self.down:
            return
        if up and not self._linked:
            self._connect()
        elif not up and self._linked:
            self._linked = False
            self._take([LinkLost(self.now, "the broker is gone")])

    def _come_back(self) -> None:
        self._back_at = None
        last = self.engine.state.scalars.now
        self._clock = self._clock_from(last)
        self._take([Started(self.now, last)])
        if self._plan is not self._configured:
            self.configure(self._plan)
        if not self._cut:
            self._connect()
        uploads, self._uploads = self._uploads, []
        for upload in uploads:
            self.upload(upload)

    def _connect(self) -> None:
        self._linked = True
        self._take([LinkUp(self.now)])
        waiting, self._waiting = self._waiting, []
        for sent in waiting:
            self.hear(sent)

    def _clock_from(self, last: Millis) -> Clock:
        return Clock(
            last,
            wall=lambda: self._begin + self._elapsed + self._shift,
            steady=lambda: self._elapsed,
        )

    def _take(self, inputs: Sequence[Input]) -> None:
        effects = self.engine.step(inputs)
        if (
            effects.outcomes
            or effects.alerts
            or effects.orders
            or effects.rounds
            or effects.taps
            or effects.replies
            or effects.rejections
        ):
            self.records.take(effects)
            self._heed(effects)
