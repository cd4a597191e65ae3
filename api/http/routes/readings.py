"""Readings of a device: raw, or in buckets of a width that fits the range."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from api.http.context import Asked, Context
from api.http.device_changes import DeviceId, device_of
from api.http.device_views import TitleView, title_view
from api.http.instants import Moment, span
from api.http.problems import wrong
from api.http.texts import Id
from gateway.core.plan import Device
from gateway.core.values import DAY, HOUR, MINUTE, SECOND, Millis, PointType, Scalar, show_duration
from gateway.ports import Answer
from gateway.ports import Query as ReadingsQuery

router = APIRouter(prefix="/devices", tags=["devices"])

WIDTHS = (
    *(SECOND * count for count in (1, 5, 10, 15, 30)),
    *(MINUTE * count for count in (1, 2, 5, 10, 15, 30)),
    *(HOUR * count for count in (1, 2, 3, 6, 12)),
    *(DAY * count for count in (1, 7, 28)),
)
"""What ``auto`` chooses from."""
POINTS_MOST = 64
RANGE_MOST = 3_660 * DAY


def _every(value: object) -> object:
    return value if value in ("auto", "raw") else span(value)


Every = Annotated[
    Literal["auto", "raw"] | Millis,
    BeforeValidator(_every),
    WithJsonSchema({"type": "string", "examples": ["auto", "raw", "1m"]}),
]


class ReadingsListing(BaseModel):
    """Which readings."""

    model_config = ConfigDict(extra="forbid")

    point: list[Id] = Field([], max_length=POINTS_MOST, description="all of the device's when left out")
    start: Moment | None = Field(None, description="inclusive; an hour before the end when left out")
    end: Moment | None = Field(None, description="exclusive; now when left out")
    every: Every = Field("auto", description="width of a bucket, `raw`, or `auto`: what fits the range")
    max_points: int = Field(500, ge=2, le=10_000, description="of each point at the most")


class SampleView(BaseModel):
    """One reading."""

    ts: str
    value: Scalar


class BucketView(BaseModel):
    """A stretch of readings, from ``ts`` on."""

    ts: str
    min: float
    max: float
    mean: float
    count: int


class SeriesView(BaseModel):
    """The readings of one point; samples or buckets, never both."""

    point: str
    title: TitleView
    unit: str
    truncated: bool = Field(description="there is more than was asked for; the end is missing")
    samples: list[SampleView]
    buckets: list[BucketView]


class ReadingsView(BaseModel):
    """The readings of a device over a range."""

    device: str
    start: str
    end: str
    every: str | None = Field(description="null: raw readings")
    points: list[SeriesView]


@router.get("/{device}/readings")
async def list_readings(
    asked: Asked, device: DeviceId, wanted: Annotated[ReadingsListing, Query()]
) -> ReadingsView:
    """Readings of some points over a range. Words and texts are always given raw."""
    found = device_of(asked, device)
    names = wanted.point or list(found.kind.points)[:POINTS_MOST]
    unknown = next((name for name in names if name not in found.kind.points), None)
    if unknown is not None:
        words = f"the device {device} has no point {unknown}; it has {', '.join(found.kind.points)}"
        raise wrong("query.point", words)
    start, end = _range(asked, wanted)
    every = _width(found, wanted, end - start)
    if every is not None and (end - start) // every > wanted.max_points:
        words = f"that makes more than max_points = {wanted.max_points} buckets of {show_duration(every)}"
        raise wrong("query.every", words)
    ask = ReadingsQuery(found.series, list(dict.fromkeys(names)), start, end, every, wanted.max_points)
    answers = await _read(asked, ask)
    if wanted.every == "auto" and every is None and any(_could_be_shorter(found, one) for one in answers):
        every = _fitting(end - start, wanted.max_points)
        answers = await _read(asked, ask._replace(every=every))
    return ReadingsView(
        device=device,
        start=asked.written(start),
        end=asked.written(end),
        every=None if every is None else show_duration(every),
        points=[_series(asked, found, answer) for answer in answers],
    )


def _range(asked: Context, wanted: ReadingsListing) -> tuple[Millis, Millis]:
    end = asked.now if wanted.end is None else wanted.end
    start = max(0, end - HOUR) if wanted.start is None else wanted.start
    if not 0 < end - start <= RANGE_MOST:
        raise wrong("query.start", "start must lie before end, by ten years at the most")
    return start, end


def _width(device: Device, wanted: ReadingsListing, length: Millis) -> Millis | None:
    """The width of a bucket; None for raw readings, which ``auto`` gives when that many are few enough."""
    if wanted.every == "raw":
        return None
    if isinstance(wanted.every, int):
        return wanted.every
    if length // device.kind.report_every <= wanted.max_points:
        return None
    return _fitting(length, wanted.max_points)


def _fitting(length: Millis, most: int) -> Millis:
    """The narrowest handy bucket of which few enough cover the range."""
    return next((width for width in WIDTHS if length // width < most), length // (most - 1) + 1)


async def _read(asked: Context, ask: ReadingsQuery) -> list[Answer]:
    if ask.every is None:
        return await asked.gateway.telemetry.read(ask)
    # A range that begins inside a bucket touches one more; words among the points are not cut into buckets.
    answers = await asked.gateway.telemetry.read(ask._replace(limit=ask.limit + 1))
    return [
        one._replace(
            samples=one.samples[: ask.limit], truncated=one.truncated or len(one.samples) > ask.limit
        )
        for one in answers
    ]


def _could_be_shorter(device: Device, answer: Answer) -> bool:
    """Whether buckets would show what the raw readings had no room for."""
    words = (PointType.ENUM, PointType.TEXT)
    return answer.truncated and device.kind.points[answer.field].type not in words


def _series(asked: Context, device: Device, answer: Answer) -> SeriesView:
    point = device.kind.points[answer.field]
    return SeriesView(
        point=point.name,
        title=title_view(point.title),
        unit=point.unit,
        truncated=answer.truncated,
        samples=[SampleView(ts=asked.written(one.ts), value=one.value) for one in answer.samples],
        buckets=[
            BucketView(
                ts=asked.written(one.ts), min=one.minimum, max=one.maximum, mean=one.mean, count=one.count
            )
            for one in answer.buckets
        ],
    )
