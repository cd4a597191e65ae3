"""What a gateway makes of the taps of phones and readers, in virtual time and without a network."""

from typing import Any

from gateway.codecs.decoder import Decoder
from gateway.codecs.tag_keys import TagKeys
from gateway.core.effects import Outcome
from gateway.core.engine import Engine
from gateway.core.inputs import Input, LinkUp, Started, Tick
from gateway.core.plan import SitePlan
from gateway.core.state import State
from gateway.core.values import SECOND, Message, Millis
from gateway.uploads import Phone, TapUpload
from simulators.fleet import Fleet
from simulators.guard_phone import GuardPhone, TagWall
from simulators.ntag import SimulatedTag

KEY = "000102030405060708090A0B0C0D0E0F"


class Gatehouse:
    """The gateway's own codecs and engine, from a first start on."""

    def __init__(self, plan: SitePlan, start: Millis) -> None:
        self.plan, self.start = plan, start
        self.engine = Engine(plan, State())
        self.outcomes: list[Outcome] = []
        self._decoder = Decoder(plan, TagKeys.parse(KEY))
        self._step(Started(start, None), LinkUp(start))

    def take(self, body: dict[str, Any], at: Millis) -> int:
        """An upload of a phone, as ``POST /api/v1/taps`` takes it; the status of the answer."""
        phone = Phone(body["device"], body["sent"], body["queued"])
        upload = TapUpload(phone, len(body["taps"]), self.plan.site)
        work = upload.work(body["taps"])(at, self._decoder)
        assert len(work.inputs) == max(1, len(body["taps"]))
        self._step(*work.inputs)
        return 200

    def live(self, length: Millis, *guards: GuardPhone, fleet: Fleet | None = None) -> list[Outcome]:
        """Everybody lives so long, a second at a time; returns what happened from the start on."""
        for at in range(self.start, self.start + length + 1, SECOND):
            for sent in () if fleet is None else fleet.advance(at):
                self._step(*self._decoder.decode(Message(sent.topic, sent.payload, sent.retain), sent.at))
            for guard in guards:
                upload = guard.advance(at)
                if upload is not None:
                    guard.phone.answered(upload, self.take(upload.body, at), at)
            self._step(Tick(at))
        return self.outcomes

    def _step(self, *inputs: Input) -> None:
        self.outcomes += self.engine.step(inputs).outcomes


def tag_wall(plan: SitePlan) -> TagWall:
    """The site's secure tags, written with :data:`KEY`."""
    keys = TagKeys.parse(KEY).of_site(plan.site)[0]
    tags = {
        tag.id: SimulatedTag(
            tag.id,
            tag.epoch,
            "https://gate.example/t",
            keys.meta,
            keys.file(bytes.fromhex(tag.id), tag.epoch),
        )
        for checkpoint in plan.checkpoints.values()
        for tag in checkpoint.tags
        if tag.secure
    }
    return TagWall(plan, tags)
