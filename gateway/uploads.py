"""Taps that a phone uploads over HTTP: read and judged a part at a time, so that everybody else has their turn between."""

import re
import uuid
from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from gateway.adapters.sql.journal import entry
from gateway.codecs.decoder import Decoder
from gateway.codecs.scan import Fault, check_owner
from gateway.codecs.tap_json import Upload, read_tap
from gateway.core.inputs import Command, Input, Tap
from gateway.core.state import Reply
from gateway.core.values import Millis
from gateway.jobs import Work

ID_SHOWN = 128
"""Characters of a client's id that an answer repeats."""
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_OF_ALL = ("queued", "sent")


class Phone(NamedTuple):
    """What a phone says beside its taps."""

    device: str
    """Its own id."""
    sent: Millis | None = None
    """What its clock shows at the upload."""
    queued: int | None = None
    """How many taps it still holds after this upload; None where it does not say."""
    by: str | None = None
    """The guard whose token it came with."""


class Taken(NamedTuple):
    """What became of one item of an upload."""

    key: str | None
    """The id the client gave it, where it gave one that can be repeated."""
    status: str
    """``done``, ``duplicate`` or ``refused``."""
    tap: str | None = None
    """The id of the record."""
    words: str = ""
    """Why not, or what of it was left out."""


class TapUpload:
    """One upload on its way in.

    Args:
        phone: what it came with.
        count: how many items it has.
        site: the id of the site in force.
    """

    def __init__(self, phone: Phone, count: int, site: str) -> None:
        self._phone, self._left, self._site = phone, count, site
        self._name = uuid.uuid4().hex
        self._begun: Millis | None = None
        self._before: Millis | None = None
        self._read: list[Tap | Taken] = []
        self._words: dict[str, str] = {}

    def work(self, items: Sequence[object]) -> Callable[[Millis, Decoder], Work]:
        """The next items as work; a :class:`Fault` among them is one that is no JSON."""

        def work(at: Millis, decoder: Decoder) -> Work:
            upload = self._upload(at, decoder)
            self._read = [self._one(item, upload) for item in items]
            taps = [one for one in self._read if isinstance(one, Tap)]
            inputs: list[Command | Tap] = [*taps]
            if not self._left and taps:
                inputs[-1] = replace(taps[-1], queued=self._phone.queued)
            elif not self._left:
                inputs.append(self._report(upload))
            entries = [entry(one) for one in inputs]
            return Work(list[Input](inputs), entries, commands=[one.ask for one in taps])

        return work

    def results(self, replies: Sequence[Reply]) -> list[Taken]:
        """What became of the items of the last work, in their order."""
        found = {reply.command: reply for reply in replies}
        return [one if isinstance(one, Taken) else self._taken(one, found[one.ask]) for one in self._read]

    def _upload(self, at: Millis, decoder: Decoder) -> Upload:
        """What all items have in common now. The phone's clock has gone on since the first of them was handled."""
        self._begun = at if self._begun is None else self._begun
        sent = self._phone.sent
        now = None if sent is None else sent + at - self._begun
        return Upload(at, self._phone.device, decoder.seal_of, sent=now, by=self._phone.by)

    def _one(self, item: object, upload: Upload) -> Tap | Taken:
        self._left -= 1
        if isinstance(item, Fault):
            return Taken(None, "refused", words=item.detail)
        key = item.get("id") if isinstance(item, dict) else None
        shown = key if isinstance(key, str) and len(key) <= ID_SHOWN else None
        fault = self._fault(item)
        if fault is not None:
            return Taken(shown, "refused", words=fault)
        given = {name: value for name, value in item.items() if name not in _OF_ALL} if isinstance(item, dict) else item  # fmt: skip
        ask = f"{self._name}-{self._left}"
        found, faults = read_tap(given, upload, self._before, ask)
        if isinstance(found, Fault):
            return Taken(shown, "refused", words=found.detail)
        words = [fault.detail for fault in faults]
        if given != item:
            words.append("queued and sent stand beside the taps, not in one of them")
        if words:
            self._words[ask] = "; ".join(words)
        self._before = found.ts
        # What has not been read yet the phone still holds, as far as anybody knows.
        return replace(found, queued=(self._phone.queued or 0) + self._left if self._left else self._phone.queued)  # fmt: skip

    def _fault(self, item: object) -> str | None:
        """What a phone's tap must have beyond what a reader's needs, so that the same one can be sent again."""
        if not isinstance(item, dict):
            return None
        key = item.get("id")
        if not isinstance(key, str) or not _UUID.fullmatch(key):
            return "id: a tap needs a UUID of its own, so that it can be sent again"
        if item.get("ts") is None:
            return "ts: a tap needs the time it was made at, by the device's clock"
        other = check_owner(item, self._phone.device, self._site)
        return None if other is None else other.detail.replace("the topic", "the upload")

    def _report(self, upload: Upload) -> Command:
        """Nothing was left to take at the end; the phone was heard all the same."""
        return Command(
            at=upload.at,
            id=f"{self._name}-end",
            actor=self._phone.by or self._phone.device,
            verb="source.report",
            target=self._phone.device,
            args={"queued": self._phone.queued, "sent": upload.sent},
        )

    def _taken(self, one: Tap, reply: Reply) -> Taken:
        words = [text for text in (reply.detail, self._words.pop(one.ask, "")) if text]
        return Taken(one.id, reply.status, reply.subject, "; ".join(words))
