"""Changing a device itself: one way for every verb, and what is answered when it has moved on."""

from collections.abc import Callable
from typing import Annotated, NamedTuple, TypeVar

import sqlalchemy as sa
from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from api.http.alert_views import happening_view
from api.http.conflicts import CHANGES_MOST
from api.http.context import Context, Wish, etag
from api.http.problems import Problem, wrong
from api.http.texts import INTEGER_MOST, Id
from gateway.adapters.sql import records
from gateway.core.plan import Device
from gateway.core.state import DeviceState
from gateway.core.values import Json

DeviceId = Annotated[Id, Path(description="the id of a device")]
ViewT = TypeVar("ViewT", bound=BaseModel)

TOLD = (
    "alert.in_service",
    "alert.out_of_service",
    "alert.out_of_service_asked",
    "alert.shelved",
    "alert.unshelved",
    "device.params_dropped",
    "device.tuned",
)
"""What changes the version of a device."""


class DeviceChange(BaseModel):
    """The body of a request that changes a device."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(
        None,
        ge=0,
        le=INTEGER_MOST,
        strict=True,
        description="the version you saw; the change is refused when it is no longer the newest",
    )


class Known(NamedTuple):
    """A device of the site with what is known of it."""

    device: Device
    state: DeviceState | None

    @property
    def version(self) -> int:
        """Counts what people did to the device."""
        return 0 if self.state is None else self.state.version


def device_of(asked: Context, name: str) -> Device:
    """A device of the site. Raises :class:`Problem`."""
    device = asked.plan.devices.get(name)
    if device is None:
        raise Problem(404, f"the site {asked.plan.site} has no device {name}")
    return device


async def known(asked: Context, name: str) -> Known:
    """A device and its state. Raises :class:`Problem`."""
    device = device_of(asked, name)
    states = await asked.gateway.store.read(lambda connection: records.device_states(connection, [name]))
    return Known(device, states.get(name))


async def change_device(
    wish: Wish,
    verb: str,
    device: str,
    args: dict[str, Json],
    version: int | None,
    view: Callable[[Context, Known], BaseModel],
) -> tuple[Context, Known]:
    """Have a verb carried out; the device as it is then.

    Raises:
        Problem: it was not; the problem holds what ``view`` makes of the device as it is, and what changed it last.
    """
    device_of(wish.asked, device)
    if version is not None and wish.seen is not None and version != wish.seen:
        raise wrong("body.version", f"version is {version}, but If-Match says {wish.seen}; give one of them")
    expect = wish.seen if version is None else version
    reply = await wish.submit(verb, device, args, expect)
    if reply.status == "not_found":
        raise Problem(404, reply.detail)
    asked = Context(wish.asked.gateway, wish.asked.gateway.plan, wish.asked.now)
    now = await known(asked, device)
    if reply.status != "done":
        raise await _moved_on(asked, now, reply.detail, reply.allowed, expect, view)
    return asked, now


async def _moved_on(
    asked: Context,
    now: Known,
    words: str,
    allowed: list[str],
    seen: int | None,
    view: Callable[[Context, Known], BaseModel],
) -> Problem:
    since = 1 if seen is None else min(max(1, now.version - seen), CHANGES_MOST)

    def read(connection: sa.Connection) -> list[records.Happening]:
        return records.device_history(connection, now.device.id, TOLD, since)

    changes = await asked.gateway.store.read(read)
    current = view(asked, now)
    return Problem(
        409,
        words,
        etag(now.version),
        version=now.version,
        allowed=allowed or getattr(current, "allowed", []),
        changes=[happening_view(asked, one).model_dump(mode="json") for one in changes],
        current=current.model_dump(mode="json"),
    )
