"""Taps as they are shown."""

from pydantic import BaseModel, Field

from api.http.context import Context
from api.http.device_clocks import calendar_time
from api.http.patrol_names import FlagView, NamedView, SpotView, flag_views, guard_named, spot
from gateway.core.patrol.memory import TapRecord


class TapView(BaseModel):
    """A tap as it was judged."""

    id: str
    version: int
    key: str = Field(description="the id the client gave it")
    source: str = Field(description="the reader, or the phone; empty for a make-up")
    how: str = Field(description="nfc, qr, typed or make_up")
    ts: str | None = Field(description="when it was made, corrected; null where no calendar has it")
    claimed: str | None = Field(description="what the device's clock said")
    sent: str | None = Field(description="what the device's clock said at the upload")
    received_at: str
    guard: NamedView | None
    by: str | None = Field(description="whose token it came with; who entered a make-up")
    tag: str | None
    checkpoint: SpotView | None
    asset: str | None = Field(description="the device whose own tag it was")
    grade: str
    counted: bool = Field(description="whether it is evidence")
    flags: list[FlagView]
    rounds: list[str] = Field(description="the rounds it belongs to")
    counter: int | None
    epoch: int | None
    tamper: str | None
    review: str | None = Field(description="pending, approved or rejected; null where nobody needs to look")
    reviewed_by: str | None
    reviewed_at: str | None
    why: str


def tap_view(asked: Context, one: TapRecord) -> TapView:
    """A tap."""
    return TapView(
        id=one.id,
        version=one.version,
        key=one.key,
        source=one.source,
        how=one.how,
        ts=calendar_time(asked, one.ts),
        claimed=calendar_time(asked, one.claimed),
        sent=calendar_time(asked, one.sent),
        received_at=asked.written(one.received),
        guard=guard_named(asked, one.guard),
        by=one.by,
        tag=one.tag,
        checkpoint=None if one.checkpoint is None else spot(asked, one.checkpoint),
        asset=one.asset,
        grade=one.grade,
        counted=one.counted,
        flags=flag_views(one.flags),
        rounds=one.rounds,
        counter=one.counter,
        epoch=one.epoch,
        tamper=one.tamper,
        review=one.review,
        reviewed_by=one.reviewed_by,
        reviewed_at=asked.maybe(one.reviewed_at),
        why=one.why,
    )
