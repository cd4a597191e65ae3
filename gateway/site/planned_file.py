"""The shape of what a site file says about time: calendars and maintenance."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from gateway.core.values import DAY, MINUTE
from gateway.site.cover import CoverEntry, Names
from gateway.site.fields import PositiveDuration, TitleText, between
from gateway.site.hours import HoursOrName, LocalDate, Rrule, WallTime, WeekHours
from gateway.site.profile_file import Entry

_FORMS = "during: a calendar; from and until; or every, start and lasts"


class CalendarEntry(Entry):
    """When something is open."""

    title: TitleText | None = None
    hours: WeekHours
    holidays: list[LocalDate] = Field(default_factory=list)
    workdays: list[LocalDate] = Field(default_factory=list)

    @model_validator(mode="after")
    def _each_date_once(self) -> Self:
        both = sorted(set(self.holidays) & set(self.workdays))
        if both:
            raise ValueError(f"{both[0]} is among the holidays and the workdays; choose one")
        return self


class MaintenanceEntry(CoverEntry):
    """Planned work on some devices, at some times."""

    title: TitleText | None = None
    rules: Names | None = None
    during: HoursOrName | None = None
    from_: WallTime | None = Field(default=None, alias="from")
    until: WallTime | None = None
    every: Rrule | None = None
    start: WallTime | None = None
    lasts: Annotated[PositiveDuration, between(MINUTE, 31 * DAY)] | None = None

    @model_validator(mode="after")
    def _has_one_time(self) -> Self:
        given = tuple(
            name.removesuffix("_")
            for name in ("during", "from_", "until", "every", "start", "lasts")
            if getattr(self, name) is not None
        )
        if given not in (("during",), ("from", "until"), ("every", "start", "lasts")):
            raise ValueError(f"found {' and '.join(given) or 'no time'}; one of these is needed: {_FORMS}")
        if self.from_ is not None and self.until is not None and self.until <= self.from_:
            raise ValueError(
                f"until ({self.until:%Y-%m-%d %H:%M}) must be after from ({self.from_:%Y-%m-%d %H:%M})"
            )
        return self
