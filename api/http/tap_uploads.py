"""Uploads of taps: worked off a part at a time, each with its own commit, and answered one by one in their order.

The answer is put together in pieces of JSON, since a hundred thousand judgements in one go would keep everybody else
waiting.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from pydantic import BaseModel, Field

from api.http.context import PATIENCE, Context
from api.http.patrol_names import FLAG_VIEWS, FlagView
from api.http.problems import Problem
from api.http.tap_envelope import read_items
from gateway.adapters.sql import patrol_records
from gateway.core.patrol import judging
from gateway.core.patrol.memory import Round, RoundState, TapRecord
from gateway.core.patrol.verdicts import GRADES
from gateway.uploads import Phone, Taken, TapUpload

AT_ONCE = 250
"""Taps taken in one turn of the loop."""

_FLAGS: Final = {name: view.model_dump() for name, view in FLAG_VIEWS.items()}
_encode = msgspec.json.Encoder().encode


class InRoundView(BaseModel):
    """What a tap is for a round."""

    id: str
    route: str
    outcome: str | None = Field(
        description="on_time, early, late, late_upload or extra; null where it does not count"
    )


class TapResult(BaseModel):
    """What became of one tap."""

    id: str | None = Field(description="the id the client gave it")
    status: str = Field(description="counted, kept (it is no evidence), duplicate or refused")
    tap: str | None = Field(description="the id of its record")
    grade: str | None
    checkpoint: str | None
    rounds: list[InRoundView]
    review: str | None
    flags: list[FlagView]
    detail: str = Field(description="why it was refused, or what of it was left out")


class UploadView(BaseModel):
    """What became of an upload."""

    counted: int = Field(description="how many of its taps are new and evidence")
    results: list[TapResult] = Field(description="in the order of `taps`")


async def take_upload(asked: Context, phone: Phone, raws: Sequence[msgspec.Raw]) -> bytes:
    """Have an upload taken; the answer as JSON.

    Raises:
        Problem: no answer came in time.
        StoreError: a part was not committed; those before it were, and are duplicates when they come again.
    """
    upload = TapUpload(phone, len(raws), asked.plan.site)
    counted, pieces = 0, []
    for start in range(0, len(raws) or 1, AT_ONCE):
        items = read_items(raws[start : start + AT_ONCE])
        try:
            async with asyncio.timeout(PATIENCE):
                taken = await asked.gateway.take_taps(upload, items)
        except TimeoutError:
            words = "no answer in time; send the same taps again: what was taken is not taken twice"
            raise Problem(503, words, {"Retry-After": "5"}) from None
        if taken:
            results = await _results(asked, taken)
            counted += sum(one["status"] == "counted" for one in results)
            pieces.append(_encode(results)[1:-1])
    return b'{"counted":%d,"results":[%b]}' % (counted, b",".join(pieces))


async def _results(asked: Context, taken: Sequence[Taken]) -> list[dict[str, Any]]:
    ids = list(dict.fromkeys(one.tap for one in taken if one.tap is not None))
    live = frozenset(asked.gateway.patrol.rounds)

    def read(connection: sa.Connection) -> tuple[dict[str, TapRecord], dict[str, Round]]:
        records = patrol_records.taps_by_id(connection, ids)
        names = dict.fromkeys(name for record in records.values() for name in record.rounds)
        found = ((name, patrol_records.patrol_round(connection, name)) for name in names if name not in live)
        return records, {name: one for name, one in found if one is not None}

    records, closed = await asked.gateway.store.read(read)
    rounds = _Rounds({**closed, **asked.gateway.patrol.rounds})
    return [_result(one, records.get(one.tap or ""), rounds) for one in taken]


class _Rounds:
    """What taps are for their rounds. The outcomes of a round are looked through once."""

    def __init__(self, rounds: Mapping[str, Round]) -> None:
        self._rounds = rounds
        self._words: dict[str, dict[str | None, str]] = {}

    def views(self, record: TapRecord) -> list[dict[str, str | None]]:
        """Each round of a tap, with what the tap is for it."""
        found = ((name, self._rounds.get(name)) for name in record.rounds)
        return [
            {"id": one.id, "route": one.route, "outcome": self._outcome(one, record)}
            for _, one in found
            if one is not None
        ]

    def _outcome(self, one: Round, record: TapRecord) -> str | None:
        weak = GRADES.index(record.grade) > GRADES.index(one.accept) and record.review != "approved"
        if not record.counted or weak:
            return None
        if one.state is RoundState.OPEN:
            return judging.expected(one, record.ts, record.checkpoint or "")
        words = self._words.get(one.id)
        if words is None:
            words = self._words[one.id] = {outcome.tap: outcome.word for outcome in one.outcomes}
        return words.get(record.id, "extra")


def _result(one: Taken, record: TapRecord | None, rounds: _Rounds) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": one.key,
        "status": one.status,
        "tap": one.tap,
        "grade": None,
        "checkpoint": None,
        "rounds": [],
        "review": None,
        "flags": [],
        "detail": one.words,
    }
    if record is None:
        return found
    status = "counted" if record.counted else "kept"
    return found | {
        "status": one.status if one.status == "duplicate" else status,
        "grade": record.grade,
        "checkpoint": record.checkpoint,
        "rounds": rounds.views(record),
        "review": record.review,
        "flags": _flags(record.flags),
    }


def _flags(names: Iterable[str]) -> list[dict[str, Any]]:
    return [_FLAGS[name] for name in names]
