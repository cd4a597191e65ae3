"""The shape of what a site file says about notices: who can be told, and who is told of what."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gateway.core.values import DAY, HOUR, MINUTE, SECOND, show_duration
from gateway.site.cover import CoverEntry, Names
from gateway.site.fields import Duration, Id, PositiveDuration, TitleText, between
from gateway.site.profile_file import Entry, LevelName


class TargetEntry(Entry):
    """A person, duty phone or chat room."""

    title: TitleText | None = None
    language: Literal["en", "zh"] = "en"
    hours: str | None = None


class EscalationEntry(Entry):
    """Who is told next, unless somebody has acknowledged by then."""

    after: Annotated[PositiveDuration, between(SECOND, 7 * DAY)]
    to: Names


class CalloutEntry(CoverEntry):
    """Which alerts go to whom."""

    levels: Annotated[list[LevelName], Field(min_length=1)] | None = None
    rules: Names | None = None
    to: Names
    escalate: list[EscalationEntry] = Field(default_factory=list)

    @property
    def takes_all(self) -> bool:
        """Whether no alert passes it by."""
        return self.levels is None and self.rules is None and not self.narrows

    @model_validator(mode="after")
    def _rises(self) -> Self:
        for one, two in pairwise(self.escalate):
            if two.after <= one.after:
                raise ValueError(
                    f"escalate: a step after {show_duration(two.after)} follows one after"
                    f" {show_duration(one.after)}; the times must rise"
                )
        return self


class GroupingEntry(Entry):
    """How notices of one rule are gathered."""

    wait: Annotated[Duration, between(0, HOUR)] = 30 * SECOND
    interval: Annotated[PositiveDuration, between(SECOND, DAY)] = 5 * MINUTE
    repeat: Annotated[PositiveDuration, between(MINUTE, 7 * DAY)] = 4 * HOUR

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.repeat < self.interval:
            raise ValueError(
                f"repeat ({show_duration(self.repeat)}) is shorter than interval ({show_duration(self.interval)})"
            )
        return self


class NotifyEntry(Entry):
    """Everything about notices."""

    targets: dict[Id, TargetEntry] = Field(default_factory=dict)
    callouts: dict[Id, CalloutEntry] = Field(default_factory=dict)
    group: GroupingEntry = GroupingEntry()
