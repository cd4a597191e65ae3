"""Alert quality as it grows: what each outcome adds to the figures by which alerts themselves are judged.

:func:`fold` is the only way from the log of outcomes to the figures. It gives counts that can be added up, in slots of
five minutes, and the beginnings and ends of spells (a shelf, a chatter, a stretch nobody observed), whose exact times
let any period be cut out of them. Five minutes, because the flood windows of EEMUA 191 are ten minutes on the hour
and the local hour of some time zones begins at a quarter of the world's.
"""

import enum
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from gateway.core.effects import Outcome
from gateway.core.values import MINUTE, Json, Millis

SLOT: Millis = 5 * MINUTE
"""Counts are kept for each stretch of so long, beginning at 1970-01-01T00:00Z."""

COUNTS = (
    "announced",
    "quiet",
    "raised",
    "raised_again",
    "risen",
    "acknowledged",
    "acknowledge_ms",
    "cleared",
    "clear_ms",
    "ended",
    "chattering",
    "hidden",
    "stale",
    "shelved",
    "assigned",
    "reset",
    "out_of_service",
)
"""What is counted. ``announced`` is what people had to look at; ``quiet`` was raised while suppressed; ``hidden`` are the
transitions of a chatter that nobody was told of. The two ``_ms`` are sums of milliseconds."""


class Key(NamedTuple):
    """What a count belongs to; empty where the outcome does not say."""

    slot: Millis
    """The beginning of the slot."""
    device: str
    rule: str
    level: str
    actor: str
    """Who did it, on acts of people; empty on everything else."""


class Spell(enum.StrEnum):
    """Something that lasts, of one rule on one device, or of the whole gateway."""

    SHELVED = "shelved"
    OUT_OF_SERVICE = "out_of_service"
    CHATTERING = "chattering"
    STALE = "stale"
    UNOBSERVED = "unobserved"


class Change(NamedTuple):
    """A spell begins or ends. An end without a beginning means nothing; a second beginning ends the first."""

    at: Millis
    spell: Spell
    device: str
    rule: str
    """Empty for every rule of the device."""
    begins: bool


class Folded(NamedTuple):
    """What some outcomes add: counts by key (absent ones are 0), and changes of spells in their order."""

    counts: dict[Key, dict[str, int]]
    changes: list[Change]


class _Counted(NamedTuple):
    """How an outcome is counted: one in ``name``, and a number of its detail in ``amount``."""

    name: str | None = None
    amount: str | None = None
    of: str = "after"
    by_actor: bool = False


_COUNTED: Mapping[str, _Counted] = MappingProxyType(
    {
        "alert.raised": _Counted("raised"),
        "alert.raised_again": _Counted("raised_again"),
        "alert.risen": _Counted("risen"),
        "alert.acknowledged": _Counted("acknowledged", "acknowledge_ms", by_actor=True),
        "alert.cleared": _Counted("cleared", "clear_ms"),
        "alert.ended": _Counted("ended"),
        "alert.chattering": _Counted("chattering"),
        "alert.calm": _Counted(None, "hidden", "hidden"),
        "alert.stale": _Counted("stale"),
        "alert.shelved": _Counted("shelved", by_actor=True),
        "alert.assigned": _Counted("assigned", by_actor=True),
        "alert.reset": _Counted("reset", by_actor=True),
        "alert.out_of_service": _Counted("out_of_service", by_actor=True),
    }
)
_BEGINS: Mapping[str, Spell] = MappingProxyType(
    {
        "alert.shelved": Spell.SHELVED,
        "alert.out_of_service": Spell.OUT_OF_SERVICE,
        "alert.chattering": Spell.CHATTERING,
        "alert.stale": Spell.STALE,
        "gateway.unobserved": Spell.UNOBSERVED,
    }
)
_ENDS: Mapping[str, tuple[Spell, ...]] = MappingProxyType(
    {
        "alert.unshelved": (Spell.SHELVED,),
        "alert.in_service": (Spell.OUT_OF_SERVICE,),
        "alert.calm": (Spell.CHATTERING,),
        "alert.cleared": (Spell.STALE,),
        "alert.ended": (Spell.STALE,),
        "gateway.observing": (Spell.UNOBSERVED,),
    }
)
_SINCE: Mapping[str, str] = MappingProxyType({"gateway.unobserved": "since", "gateway.observing": "until"})
"""Where the time of a change is another than the outcome's."""
_REMOVED = ("rule removed", "device removed")
_ASKING = ("alert.raised", "alert.raised_again", "alert.risen")


def fold(outcomes: Iterable[Outcome]) -> Folded:
    """What these outcomes add to the figures. Folding them in parts and adding the parts up gives the same."""
    folded = Folded({}, [])
    for outcome in outcomes:
        if outcome.kind.startswith("alert."):
            _count(folded.counts, outcome)
        _change(folded.changes, outcome)
    return folded


def _count(counts: dict[Key, dict[str, int]], outcome: Outcome) -> None:
    detail = outcome.detail
    slot = outcome.at - outcome.at % SLOT
    where = Key(slot, outcome.device or "", outcome.rule or "", outcome.level or "", "")
    if detail.get("announced") is True:
        _add(counts, where, "announced", 1)
    if outcome.kind in ("alert.raised", "alert.raised_again") and detail.get("suppressed"):
        _add(counts, where, "quiet", 1)
    counted = _COUNTED.get(outcome.kind)
    if counted is None:
        return
    if counted.by_actor and outcome.actor:
        where = where._replace(actor=outcome.actor)
    if counted.name is not None:
        _add(counts, where, counted.name, 1)
    if counted.amount is not None:
        _add(counts, where, counted.amount, _number(detail.get(counted.of), 0))


def _add(counts: dict[Key, dict[str, int]], where: Key, name: str, amount: int) -> None:
    if amount:
        found = counts.setdefault(where, {})
        found[name] = found.get(name, 0) + amount


def _number(value: Json, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise


def _change(changes: list[Change], outcome: Outcome) -> None:
    kind, device, rule = outcome.kind, outcome.device or "", outcome.rule or ""
    at = _number(outcome.detail.get(_SINCE.get(kind, "")), outcome.at)
    begins = _BEGINS.get(kind)
    if begins is not None:
        changes.append(Change(at, begins, device, rule, begins=True))
    changes.extend(Change(at, spell, device, rule, begins=False) for spell in _ENDS.get(kind, ()))
    if kind == "alert.ended" and outcome.detail.get("why") in _REMOVED:
        changes.append(Change(at, Spell.CHATTERING, device, rule, begins=False))


class _Asked(msgspec.Struct):
    """When an alert last asked for people, and when its condition last came true."""

    at: Millis
    raised: Millis
    seen: bool = False


class Elder:
    """Reads outcomes from before alerts could be suppressed, which do not say what was announced, nor after how long.

    Every raise and rise of that time was announced, so the first outcome that speaks of announcing or suppressing ends
    it; what follows is passed on as it is. Repeated events of that time are not counted as announced: whether they asked
    for people again depended on the rule as it then was.
    """

    def __init__(self) -> None:
        self._past = True
        self._asked: dict[str, _Asked] = {}

    def renew(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        """The outcomes as they would be written today; to be given all of them in order, in as many calls as wanted."""
        for outcome in outcomes:
            if self._past and ("announced" in outcome.detail or "suppressed" in outcome.detail):
                self._past = False
            more = self._told(outcome) if self._past else {}
            yield msgspec.structs.replace(outcome, detail={**outcome.detail, **more}) if more else outcome

    def _told(self, outcome: Outcome) -> dict[str, Json]:
        """What an outcome would say of itself today."""
        subject, at = outcome.subject or "", outcome.at
        asked = self._asked.get(subject)
        if outcome.kind in _ASKING:
            if asked is None or outcome.kind != "alert.risen":
                self._asked[subject] = _Asked(at, at)
            else:  # it asks anew, whether anybody had answered or not
                asked.at, asked.seen = at, False
            return {"announced": True}
        if asked is None:
            return {}
        if outcome.kind == "alert.acknowledged":
            asked.seen = True
            return {"after": at - asked.at}
        if outcome.kind == "alert.repeated" and asked.seen:
            asked.at = at  # it can be acknowledged a second time only where this asked for it
        if outcome.kind == "alert.cleared":
            return {"after": at - asked.raised}
        if outcome.kind == "alert.ended":
            del self._asked[subject]
        return {}
