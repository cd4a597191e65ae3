"""Tags as they are shown: where the site file puts them, and over it what was registered at run time. Never a key."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from pydantic import BaseModel, Field

from api.http.context import Context
from api.http.device_clocks import calendar_time
from api.http.patrol_names import SpotView, spot
from gateway.core import tags
from gateway.core.patrol.memory import TagMemory, Use
from gateway.core.patrol.routes import Tag
from gateway.core.values import Millis


class Stay(NamedTuple):
    """Where a tag was for a while."""

    since: Millis
    until: Millis | None
    checkpoint: str | None
    """None where it was retired."""
    secure: bool
    origin: str


class StayView(BaseModel):
    """Where a tag was for a while; no checkpoint where it was retired."""

    checkpoint: str | None
    secure: bool
    since: str | None = Field(description="null: from the beginning")
    until: str | None
    origin: str = Field(description="the site file, or registered at run time: site or registry")


class UseView(BaseModel):
    """The last cryptographic tap of a tag, by its counter."""

    ts: str | None
    tap: str
    epoch: int
    counter: int


class TagView(BaseModel):
    """One tag."""

    uid: str
    version: int
    state: str = Field(description="in_use, retired or planned")
    checkpoint: SpotView | None
    secure: bool = Field(description="it proves itself; its bare id is no evidence")
    epoch: int = Field(description="of its keys: taps with older ones do not count")
    since: str | None
    until: str | None
    title: str
    tampered: bool = Field(description="it reported that its seal was torn")
    last_use: UseView | None
    stays: list[StayView]


class TagBook:
    """All tags of a site, each with what is remembered of it."""

    def __init__(self, asked: Context) -> None:
        self._asked = asked
        self._site = tags.index(asked.plan)
        self._memory = asked.gateway.patrol.tags

    def ids(self) -> list[str]:
        """Every tag that hangs or hung at a checkpoint, in order; one that was only ever tapped is not among them."""
        registered = (uid for uid, memory in self._memory.items() if memory.history)
        return sorted({*self._site, *registered})

    def find(self, uid: str) -> TagView:
        """One of them."""
        memory = self._memory.get(uid) or TagMemory()
        of_site = self._site.get(uid, ())
        stays = list(_stays(of_site, memory))
        # What was registered has begun, whatever time it was when this request came.
        now = max([self._asked.now, *(entry.since for entry in memory.history)])
        current = next(
            (one for one in stays if one.since <= now and (one.until is None or now < one.until)), None
        )
        shown = current or (stays[-1] if stays else Stay(0, None, None, False, "registry"))
        planned = current is None and shown.since > now
        in_use = current is not None and current.checkpoint is not None
        place = shown.checkpoint if in_use or planned else None
        return TagView(
            uid=uid,
            version=memory.version,
            state="in_use" if in_use else "planned" if planned else "retired",
            checkpoint=None if place is None else spot(self._asked, place),
            secure=shown.secure,
            epoch=_epoch(of_site, memory, now),
            since=self._since(shown.since),
            until=self._asked.maybe(shown.until),
            title=memory.title,
            tampered=memory.tampered,
            last_use=self._use(memory.uses),
            stays=[self._stay(one) for one in stays],
        )

    def _stay(self, one: Stay) -> StayView:
        return StayView(
            checkpoint=one.checkpoint,
            secure=one.secure,
            since=self._since(one.since),
            until=self._asked.maybe(one.until),
            origin=one.origin,
        )

    def _since(self, moment: Millis) -> str | None:
        return self._asked.written(moment) if moment else None

    def _use(self, uses: Sequence[Use]) -> UseView | None:
        if not uses:
            return None
        last = uses[-1]
        ts = calendar_time(self._asked, last.ts)
        return UseView(ts=ts, tap=last.tap, epoch=last.epoch, counter=last.counter)


def _stays(of_site: Sequence[tuple[str, Tag]], memory: TagMemory) -> Iterator[Stay]:
    """Where it was, oldest first: the site file decides up to the first entry of the registry."""
    ends = memory.history[0].since if memory.history else None
    for checkpoint, tag in sorted(of_site, key=lambda pair: pair[1].since):
        if ends is not None and tag.since >= ends:
            continue
        until = tag.until if ends is None else ends if tag.until is None else min(ends, tag.until)
        yield Stay(tag.since, until, checkpoint, tag.secure, "site")
    following = [entry.since for entry in memory.history[1:]]
    for entry, until in zip_longest(memory.history, following):
        yield Stay(entry.since, until, entry.place, entry.secure, "registry")


def _epoch(of_site: Sequence[tuple[str, Tag]], memory: TagMemory, now: Millis) -> int:
    raised = [number for _, number in memory.epochs]
    return max([1, *raised, *(tag.epoch for _, tag in of_site if tag.since <= now)])
