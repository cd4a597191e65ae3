"""The shape of a device profile, before its names are looked up and its parameters filled in."""

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from gateway.core.values import DAY, MINUTE, PointType, Title
from gateway.site.fields import (
    CountOrParam,
    Duration,
    DurationOrParam,
    Limits,
    LongText,
    Name,
    NumberOrParam,
    OneScalar,
    ParamValue,
    PositiveDuration,
    ScalarList,
    Scalars,
    Silence,
    Text,
    TitleText,
    ValidRange,
)
from gateway.site.hours import ActiveHours, HoursOrName

LevelName: TypeAlias = Literal["info", "warning", "critical"]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:+-]{1,64}$")]
"""One word of an enum."""

NUMERIC = (PointType.FLOAT, PointType.INT)
OPERATORS = {
    "above": "above",
    "below": "below",
    "outside": "outside",
    "is_": "is",
    "one_of": "in",
    "changed": "changed",
    "rate_above": "rate_above",
    "rate_below": "rate_below",
    "event": "event",
    "count": "count",
    "silent_for": "silent_for",
    "offline": "offline",
    "during": "during",
    "all_": "all",
    "any_": "any",
    "not_": "not",
}
"""Attribute of :class:`ConditionEntry` → the word in the file."""
OF_A_POINT = frozenset({"above", "below", "outside", "is", "in", "changed", "rate_above", "rate_below"})


class Entry(BaseModel):
    """A part of an owner's file: no unknown fields, no silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=False)


class PointEntry(Entry):
    """One signal."""

    title: TitleText | None = None
    type: Annotated[PointType, Field(strict=False)]
    unit: str = Field(default="", max_length=32)
    valid: ValidRange | None = None
    values: Annotated[list[Word], Field(min_length=1)] | None = None
    counter: bool = False

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        _check_words(self.type, self.values)
        if self.type not in NUMERIC:
            odd = [name for name in ("unit", "valid", "counter") if getattr(self, name)]
            if odd:
                raise ValueError(
                    f"{', '.join(odd)}: only a float or an int has this, and the type is {self.type}"
                )
        return self


class AttributeEntry(Entry):
    """One attribute of an event."""

    type: Annotated[PointType, Field(strict=False)] = PointType.TEXT
    values: Annotated[list[Word], Field(min_length=1)] | None = None
    default: OneScalar | None = None
    personal: bool = False

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        _check_words(self.type, self.values)
        return self


class EventEntry(Entry):
    """Something a device reports as having happened."""

    title: TitleText | None = None
    attributes: dict[Name, AttributeEntry] = Field(default_factory=dict)


class CountEntry(Entry):
    """So many events within a while."""

    event: str
    within: DurationOrParam
    at_least: CountOrParam
    where: dict[str, Scalars] = Field(default_factory=dict)


class ConditionEntry(Entry):
    """One condition: exactly one operator, what it needs, and ``for``."""

    point: str | None = None
    above: NumberOrParam | None = None
    below: NumberOrParam | None = None
    outside: Limits | None = None
    is_: OneScalar | None = Field(default=None, alias="is")
    one_of: ScalarList | None = Field(default=None, alias="in")
    changed: Literal[True] | None = None
    rate_above: NumberOrParam | None = None
    rate_below: NumberOrParam | None = None
    per: DurationOrParam | None = None
    over: DurationOrParam | None = None
    event: str | None = None
    where: dict[str, Scalars] | None = None
    count: CountEntry | None = None
    silent_for: Silence | None = None
    offline: Literal[True] | None = None
    during: HoursOrName | None = None
    all_: Annotated[list["ConditionEntry"], Field(min_length=1)] | None = Field(default=None, alias="all")
    any_: Annotated[list["ConditionEntry"], Field(min_length=1)] | None = Field(default=None, alias="any")
    not_: "ConditionEntry | None" = Field(default=None, alias="not")
    hold: DurationOrParam | None = Field(default=None, alias="for")

    @property
    def operator(self) -> str:
        """The one operator, as the word in the file."""
        return next(word for field, word in OPERATORS.items() if getattr(self, field) is not None)

    @model_validator(mode="after")
    def _has_one_operator(self) -> Self:
        found = [word for field, word in OPERATORS.items() if getattr(self, field) is not None]
        if len(found) != 1:
            raise ValueError(_operators_message(found))
        operator = found[0]
        if operator in OF_A_POINT and self.point is None:
            raise ValueError(f"{operator!r} needs the point it speaks of: {{point: ..., {operator}: ...}}")
        if self.point is not None and operator not in OF_A_POINT | {"silent_for"}:
            raise ValueError(f"'point' does not go with {operator!r}")
        if self.where is not None and operator != "event":
            raise ValueError(f"'where' goes with 'event', not with {operator!r}")
        rated = operator.startswith("rate_")
        if rated and (self.per is None or self.over is None):
            raise ValueError(
                f"{operator!r} needs 'per' and 'over': so much per 1h, measured over the last 10m"
            )
        if not rated and (self.per is not None or self.over is not None):
            raise ValueError(f"'per' and 'over' go with 'rate_above' and 'rate_below', not with {operator!r}")
        return self


class LevelEntry(Entry):
    """One level of a rule."""

    when: ConditionEntry
    hold: DurationOrParam | None = Field(default=None, alias="for")


class ClearEntry(Entry):
    """How an alert lets go."""

    deadband: NumberOrParam = 0.0
    hold: DurationOrParam = Field(default=0, alias="for")


class FlappingEntry(Entry):
    """From so many transitions within so long on, an alert counts as chattering."""

    transitions: CountOrParam = 3
    within: DurationOrParam = MINUTE


class RuleEntry(Entry):
    """What is wrong when."""

    title: TitleText | None = None
    levels: Annotated[dict[LevelName, LevelEntry], Field(min_length=1)]
    active: ActiveHours | None = None
    clear: ClearEntry = ClearEntry()
    latched: bool = False
    shelvable: bool = True
    shelve_max: DurationOrParam | None = None
    re_alarm: DurationOrParam | None = None
    flapping: FlappingEntry = FlappingEntry()
    auto_ack: bool = False
    named_ack: bool = False
    work_order: dict[LevelName, str] = Field(default_factory=dict)
    runbook: LongText | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.latched and self.auto_ack:
            raise ValueError("latched waits for a person and auto_ack for nobody; choose one")
        if self.named_ack and self.auto_ack:
            raise ValueError("named_ack waits for a person with a name and auto_ack for nobody; choose one")
        if self.shelve_max is not None and not self.shelvable:
            raise ValueError(
                "shelve_max is for how long it may be shelved, and shelvable is false; choose one"
            )
        odd = [level for level in self.work_order if level not in self.levels]
        if odd:
            raise ValueError(
                f"work_order names {odd[0]!r}, but the rule's levels are {', '.join(self.levels)}"
            )
        return self


class SuppressionEntry(Entry):
    """While ``when`` holds, alerts of some rules are kept quiet."""

    title: TitleText | None = None
    when: ConditionEntry
    hold: DurationOrParam | None = Field(default=None, alias="for")
    clear: ClearEntry = ClearEntry()
    rules: Annotated[list[str], Field(min_length=1)]


class ProfileFile(Entry):
    """A device kind: what it measures and what is wrong when."""

    profile: Name
    title: TitleText | None = None
    classes: dict[Name, Text] = Field(default_factory=dict)
    report_every: PositiveDuration
    codec: Literal["native-json", "flat-json"] = "native-json"
    topics: list[str] = Field(default_factory=list)
    late_accept: Duration = 7 * DAY
    max_future: Duration = 2 * MINUTE
    points: dict[Name, PointEntry] = Field(default_factory=dict)
    events: dict[Name, EventEntry] = Field(default_factory=dict)
    params: dict[Name, ParamValue] = Field(default_factory=dict)
    rules: dict[Name, RuleEntry] = Field(default_factory=dict)
    suppressions: dict[Name, SuppressionEntry] = Field(default_factory=dict)

    @property
    def heading(self) -> Title:
        """The title, or the name where none was given."""
        return self.title or Title(self.profile, self.profile)


def _check_words(kind: PointType, values: list[str] | None) -> None:
    if kind is PointType.ENUM and values is None:
        raise ValueError("an enum needs 'values', the list of its words")
    if kind is not PointType.ENUM and values is not None:
        raise ValueError(f"'values' belongs to an enum, and the type is {kind}")
    twice = sorted({word for word in values or () if (values or []).count(word) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)}: given twice among the values")


def _operators_message(found: list[str]) -> str:
    if not found:
        return f"a condition needs one of {', '.join(OPERATORS.values())}"
    hint = (
        "; use 'outside: [low, high]'"
        if set(found) == {"above", "below"}
        else "; join several with all or any"
    )
    return f"found {' and '.join(found)}: a condition has one operator{hint}"
