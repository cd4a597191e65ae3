"""Devices: lists, one in full, and what it reported."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, NamedTuple

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from api.http.context import Asked
from api.http.device_changes import DeviceId, device_of
from api.http.device_views import (
    Connection,
    DeviceDetail,
    DeviceView,
    TitleView,
    connection_of,
    device_detail,
    device_view,
    title_view,
)
from api.http.instants import Moment
from api.http.inventory import Filter, Inventories
from api.http.paging import Listing, Paged, cursor_of
from api.http.texts import Id, Search
from gateway.adapters.sql import records
from gateway.core.plan import Device
from gateway.core.state import DeviceState
from gateway.core.values import Scalar

router = APIRouter(prefix="/devices", tags=["devices"])


class DeviceListing(Listing):
    """Which devices."""

    kind: Id | None = Field(None, description="a profile")
    building: Id | None = None
    floor: Id | None = None
    state: Connection | None = None
    alerting: bool | None = Field(None, description="with live alerts, or without")
    text: Search | None = Field(None, description="part of the id, title or place")


class EventListing(Listing):
    """Which events."""

    type: list[Id] = Field([], max_length=20)
    start: Moment | None = None
    end: Moment | None = None


class EventView(BaseModel):
    """Something a device reported."""

    key: str
    type: str
    title: TitleView | None
    ts: str = Field(description="the device's time")
    received_at: str
    attributes: dict[str, Scalar]


class Row(NamedTuple):
    """A device with what is known of it."""

    device: Device
    state: DeviceState | None
    live: records.LiveCount | None


@router.get("")
async def list_devices(
    request: Request, asked: Asked, wanted: Annotated[DeviceListing, Query()]
) -> Paged[DeviceView]:
    """Devices by id, each with its last values and how good they are; what stands for the patrol is found by its id."""
    inventories: Inventories = request.app.state.inventories
    after = wanted.after
    narrow = Filter(wanted.kind, wanted.building, wanted.floor, wanted.text, real=True)
    candidates = inventories.of(asked.plan).find(narrow, after[1] if after else "")

    def query(connection: sa.Connection) -> tuple[list[Row], str | None, records.Watching]:
        rows, last = _fill(connection, candidates, wanted)
        return rows, last, records.watching(connection)

    rows, last, watching = await asked.gateway.store.read(query)
    items = [device_view(asked, row.device, row.state, watching, row.live) for row in rows]
    return Paged(items=items, next=cursor_of((0, last) if last is not None else None))


def _fill(
    connection: sa.Connection, candidates: Iterator[Device], wanted: DeviceListing
) -> tuple[list[Row], str | None]:
    """A page of rows that match, and the id after which to go on; None at the end."""
    found: list[Row] = []
    last: str | None = None
    looked = 0
    while chunk := list(islice(candidates, records.CHUNK)):
        ids = [device.id for device in chunk]
        states, live = records.device_states(connection, ids), records.live_counts(connection, ids)
        for device in chunk:
            row = Row(device, states.get(device.id), live.get(device.id))
            if _matches(row, wanted):
                if len(found) == wanted.limit:
                    return found, last
                found.append(row)
            last = device.id
        looked += len(chunk)
        if looked >= records.LOOKED_MOST:
            return found, last
    return found, None


def _matches(row: Row, wanted: DeviceListing) -> bool:
    if wanted.alerting is not None and wanted.alerting is not (row.live is not None):
        return False
    return wanted.state in (None, connection_of(row.state))


@router.get("/{device}")
async def get_device(asked: Asked, device: DeviceId) -> DeviceDetail:
    """One device: points with their limits and last values, parameters in force, rules."""
    found = device_of(asked, device)

    def query(connection: sa.Connection) -> DeviceDetail:
        state = records.device_states(connection, [device]).get(device)
        live = records.live_counts(connection, [device]).get(device)
        return device_detail(asked, found, state, records.watching(connection), live)

    return await asked.gateway.store.read(query)


@router.get("/{device}/events")
async def list_events(
    asked: Asked, device: DeviceId, wanted: Annotated[EventListing, Query()]
) -> Paged[EventView]:
    """What a device reported, newest first."""
    found = device_of(asked, device)
    after = wanted.after
    page = await asked.gateway.store.read(
        lambda connection: records.events(
            connection,
            device,
            after=after,
            limit=wanted.limit,
            types=wanted.type,
            start=wanted.start,
            end=wanted.end,
        )
    )
    declared = found.kind.events
    items = [
        EventView(
            key=one.key,
            type=one.type,
            title=title_view(declared[one.type].title) if one.type in declared else None,
            ts=asked.written(one.ts),
            received_at=asked.written(one.at),
            attributes=one.attributes,
        )
        for one in page.items
    ]
    return Paged(items=items, next=cursor_of(page.next))
