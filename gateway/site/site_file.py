"""The shape of a site file, before its names are looked up."""

import re
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema, model_validator

from gateway.core.values import DAY, HOUR, MINUTE, Level
from gateway.site.bundle import is_relative
from gateway.site.fields import (
    Duration,
    Id,
    Name,
    ParamValue,
    PositiveDuration,
    Text,
    TitleText,
    between,
    shown,
)
from gateway.site.notify_file import NotifyEntry
from gateway.site.patrol_file import GuardEntry, PatrolEntry, RouteEntry, Tag, Tags
from gateway.site.planned_file import CalendarEntry, MaintenanceEntry
from gateway.site.profile_file import Entry
from gateway.site.terms import SHELVE_MAX
from gateway.site.work_file import PreventiveEntry, TeamEntry, TemplateEntry

_CURRENCY = re.compile(r"[A-Z]{3}")
_ROOT = re.compile(r"[^/+#$\x00-\x20\x7f-\x9f][^/+#\x00-\x20\x7f-\x9f]*(/[^/+#\x00-\x20\x7f-\x9f]+)*")


def _root(value: object) -> str:
    if not isinstance(value, str) or not _ROOT.fullmatch(value):
        raise ValueError(
            f"found {shown(value)}; topic levels without +, #, spaces or a leading $, such as facility"
        )
    return value


def _file(value: object) -> str:
    if not isinstance(value, str) or not is_relative(value):
        raise ValueError(
            f"found {shown(value)}; a path relative to the site file is needed, with / between its parts"
        )
    return value


def _currency(value: object) -> str:
    if not isinstance(value, str) or not _CURRENCY.fullmatch(value):
        raise ValueError(
            f"found {shown(value)}; three capital letters of ISO 4217 are needed, such as CNY or EUR"
        )
    return value


def _listed_floors(value: object) -> object:
    """``[B1, L1]`` is short for ``{B1: {}, L1: {}}``."""
    if not isinstance(value, list):
        return (
            {name: {} if entry is None else entry for name, entry in value.items()}
            if isinstance(value, dict)
            else value
        )
    odd = next((item for item in value if not isinstance(item, str)), None)
    if odd is not None:
        raise ValueError(f"found {shown(odd)} among the floors; put ids that look like numbers in quotes")
    return {item: {} for item in value}


TopicRoot = Annotated[str, PlainValidator(_root), WithJsonSchema({"type": "string"})]
Currency = Annotated[
    str, PlainValidator(_currency), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"})
]
ShelfLimit = Annotated[PositiveDuration, between(MINUTE, 366 * DAY)]
RelativePath = Annotated[str, PlainValidator(_file), WithJsonSchema({"type": "string"})]


class ShelveEntry(Entry):
    """The longest a rule may be shelved, by its highest level."""

    info: ShelfLimit = SHELVE_MAX[Level.INFO]
    warning: ShelfLimit = SHELVE_MAX[Level.WARNING]
    critical: ShelfLimit = SHELVE_MAX[Level.CRITICAL]


class SettingsEntry(Entry):
    """What applies to the whole site."""

    boot_grace: Annotated[Duration, between(0, HOUR)] = 2 * MINUTE
    max_payload: int = Field(default=64 * 1024, ge=256, le=16 * 1024 * 1024)
    topic_root: TopicRoot = "facility"
    event_retention: Annotated[PositiveDuration, between(HOUR, 3650 * DAY)] = 90 * DAY
    shelve_max: ShelveEntry = ShelveEntry()
    stale_after: Annotated[PositiveDuration, between(MINUTE, 90 * DAY)] = 24 * HOUR
    currency: Currency = "CNY"


class FloorEntry(Entry):
    """One floor."""

    title: TitleText | None = None
    plan: RelativePath | None = None


class BuildingEntry(Entry):
    """One building."""

    title: TitleText | None = None
    floors: Annotated[dict[Id, FloorEntry], BeforeValidator(_listed_floors)] = Field(default_factory=dict)


class PlacedEntry(Entry):
    """Something that stands somewhere."""

    building: str | None = None
    floor: str | None = None
    place: Text | None = None

    @model_validator(mode="after")
    def _floor_of_a_building(self) -> Self:
        if self.floor is not None and self.building is None:
            raise ValueError(f"the floor {self.floor!r} needs the building it belongs to")
        return self


class DeviceEntry(PlacedEntry):
    """One device."""

    id: Id
    profile: str
    title: TitleText | None = None
    params: dict[str, ParamValue] = Field(default_factory=dict)
    via: str | None = None
    tags: list[Tag] = Field(default_factory=list)


class CheckpointEntry(PlacedEntry):
    """A place a guard proves to have been at."""

    id: Id
    title: TitleText | None = None
    tags: Tags = Field(default_factory=list)
    important: bool = False


class SiteFile(Entry):
    """One facility."""

    site: Id
    title: TitleText | None = None
    timezone: str
    settings: SettingsEntry = SettingsEntry()
    buildings: dict[Id, BuildingEntry] = Field(default_factory=dict)
    profiles: list[RelativePath] = Field(default_factory=list)
    params: dict[str, dict[str, ParamValue]] = Field(default_factory=dict)
    devices: list[DeviceEntry] = Field(default_factory=list)
    teams: dict[Id, TeamEntry] = Field(default_factory=dict)
    work_orders: dict[Id, TemplateEntry] = Field(default_factory=dict)
    calendars: dict[Name, CalendarEntry] = Field(default_factory=dict)
    maintenance: dict[Id, MaintenanceEntry] = Field(default_factory=dict)
    preventive: dict[Id, PreventiveEntry] = Field(default_factory=dict)
    notify: NotifyEntry = NotifyEntry()
    guards: dict[Id, GuardEntry] = Field(default_factory=dict)
    checkpoints: list[CheckpointEntry] = Field(default_factory=list)
    routes: list[RouteEntry] = Field(default_factory=list)
    patrol: PatrolEntry = PatrolEntry()
