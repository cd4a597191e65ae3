"""Why people are not told of an alert, as it is shown: shelves, outages, test modes and maintenance windows."""

from collections.abc import Iterator

from pydantic import BaseModel, Field

from api.http.context import Context
from api.http.device_views import TitleView, title_view
from gateway.core.plan import Device, Maintenance, Suppression
from gateway.core.program import SUPPRESSION_MARK
from gateway.core.quiet import EVERY_RULE, How
from gateway.core.state import DeviceState, Outage, Phase, Shelf
from gateway.core.values import Level, Millis


class ShelfView(BaseModel):
    """A rule a person set aside for a while."""

    by: str
    why: str
    since: str
    until: str
    one_shot: bool = Field(description="ends with the next clear, if that comes first")


class OutageView(BaseModel):
    """A rule, or every rule of a device, out of service; or asked for, until a second person confirms it."""

    rule: str | None = Field(description="null: every rule of the device")
    by: str
    why: str
    since: str = Field(description="when it was asked for")
    until: str | None = Field(description="null: until somebody puts it back")
    in_force: bool
    confirmed_by: str | None
    confirmed_at: str | None
    waits_for: str | None = Field(description="who must confirm it, in words; null when it is in force")


class QuietView(BaseModel):
    """What keeps an alert quiet now."""

    how: How
    name: str | None = Field(description="of the suppression or the maintenance window")
    title: TitleView | None
    by: str | None
    why: str | None
    since: str | None
    until: str | None


def shelf_view(asked: Context, shelf: Shelf) -> ShelfView:
    """A shelf."""
    return ShelfView(
        by=shelf.by,
        why=shelf.why,
        since=asked.written(shelf.since),
        until=asked.written(shelf.until),
        one_shot=shelf.one_shot,
    )


def outage_view(asked: Context, key: str, outage: Outage) -> OutageView:
    """An outage; ``key`` is the rule's name or the mark for all of them."""
    in_force = outage.confirmed_at is not None
    return OutageView(
        rule=None if key == EVERY_RULE else key,
        by=outage.by,
        why=outage.why,
        since=asked.written(outage.since),
        until=asked.maybe(outage.until),
        in_force=in_force,
        confirmed_by=outage.confirmed_by,
        confirmed_at=asked.maybe(outage.confirmed_at),
        waits_for=None if in_force else f"somebody other than {outage.by}",
    )


def outage_of(dev: DeviceState | None, rule: str) -> tuple[str, Outage] | None:
    """What takes a rule out of service: what is in force before what was only asked for."""
    if dev is None:
        return None
    found = [(key, dev.outages[key]) for key in (EVERY_RULE, rule) if key in dev.outages]
    return next((one for one in found if one[1].confirmed_at is not None), found[0] if found else None)


def quiet_view(
    asked: Context, name: str, rule: str, how: str, since: Millis | None, dev: DeviceState | None
) -> QuietView:
    """What keeps the alerts of a rule quiet, with who or what is behind it as far as that still stands."""
    view = QuietView(
        how=How(how), name=None, title=None, by=None, why=None, since=asked.maybe(since), until=None
    )
    device = asked.plan.devices.get(name)
    if dev is None or device is None:
        return view
    more: dict[str, object] = {}
    match view.how:
        case How.SHELVED if rule in dev.shelves:
            shelf = shelf_view(asked, dev.shelves[rule])
            more = shelf.model_dump(include={"by", "why", "since", "until"})
        case How.OUT_OF_SERVICE if (found := outage_of(dev, rule)) is not None:
            outage = outage_view(asked, *found)
            more = outage.model_dump(include={"by", "why", "until"})
            more["since"] = outage.confirmed_at or outage.since
        case How.BY_DESIGN:
            active = next(active_suppressions(device, dev, rule), None)
            more = {} if active is None else {"name": active.name, "title": title_view(active.title)}
        case How.MAINTENANCE:
            window = next(open_windows(asked, name, rule), None)
            more = {} if window is None else _window(asked, window)
        case _:
            pass
    return view.model_copy(update=more)


def active_suppressions(device: Device, dev: DeviceState, rule: str) -> Iterator[Suppression]:
    """The suppressions of the profile that hold on this device and speak of the rule."""
    for one in device.kind.suppressions.values():
        state = dev.levels.get(f"{SUPPRESSION_MARK}{one.name}/{Level.INFO.label}")
        if rule in one.rules and state is not None and state.phase is not Phase.PENDING:
            yield one


def open_windows(asked: Context, device: str, rule: str) -> Iterator[Maintenance]:
    """The maintenance windows that are open now and cover a rule of a device."""
    for window in asked.plan.maintenance:
        covered = device in window.devices and (window.rules is None or rule in window.rules)
        if covered and window.schedule.is_open(asked.now):
            yield window


def _window(asked: Context, window: Maintenance) -> dict[str, object]:
    until = asked.maybe(window.schedule.next_change(asked.now))
    return {"name": window.name, "title": title_view(window.title), "until": until}
