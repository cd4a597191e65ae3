"""What is in force: the site, its devices and their rules, as frozen values with every ``$param`` resolved.

The site room builds these from the owner's YAML; the engine and the codecs only read them. Devices that share a
profile and its parameters share one :class:`Kind`, so a hundred thousand devices cost a hundred thousand small
:class:`Device` values and a handful of kinds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from gateway.core.callout import Callout, Grouping, Target
from gateway.core.patrol.routes import Patrol, Route
from gateway.core.places import Building, Checkpoint
from gateway.core.schedule import Schedule, WorkingTime
from gateway.core.templates import Preventive, Team, Template
from gateway.core.values import DAY, HOUR, MINUTE, Level, Millis, PointType, Scalar, Series, Title


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One signal of a device. ``valid`` is inclusive; outside it a value is quarantined."""

    name: str
    type: PointType
    title: Title
    unit: str = ""
    """UCUM."""
    valid: tuple[float, float] | None = None
    values: tuple[str, ...] = ()
    """The allowed words of an enum."""
    counter: bool = False
    """Counts upwards and may be reset by the device."""


def fits(point: Point, value: Scalar) -> bool:
    """Whether a value has the point's type, one of its words, and lies in its valid range."""
    match point.type:
        case PointType.BOOL:
            return isinstance(value, bool)
        case PointType.TEXT:
            return isinstance(value, str)
        case PointType.ENUM:
            return value in point.values
        case _:
            numeric = (int, float) if point.type is PointType.FLOAT else (int,)
            if isinstance(value, bool) or not isinstance(value, numeric):
                return False
            return point.valid is None or point.valid[0] <= value <= point.valid[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute of an event. ``personal`` ones are kept no longer than the site's retention."""

    name: str
    type: PointType
    values: tuple[str, ...] = ()
    default: Scalar | None = None
    personal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """Something a device reports as having happened."""

    name: str
    title: Title
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


# Conditions. Each may carry ``hold``: it counts as true only once it has been true for that long.


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """A number against limits: true below ``low`` or above ``high`` (exclusive); either may be absent."""

    point: str
    low: float | None = None
    high: float | None = None
    hold: Millis = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf:
    """The point holds one of ``values`` (``is`` and ``in`` of the profile)."""

    point: str
    values: tuple[Scalar, ...]
    hold: Millis = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """True at the instant the point takes another value."""

    point: str
    hold: Millis = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Change of a point per ``per`` over the last ``over``: above ``high`` or below ``low``.

    A counter that goes backwards has been reset: its change is then the new value.
    """

    point: str
    per: Millis
    over: Millis
    low: float | None = None
    high: float | None = None
    hold: Millis = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """True at the instant an event of this type comes in whose attributes match ``where``."""

    event: str
    where: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict)
    hold: Millis = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """True from the ``at_least``-th matching event within ``within`` until ``within`` after the last one."""

    event: str
    within: Millis
    at_least: int
    where: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict)
    hold: Millis = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """Nothing heard for ``after`` (exactly at the limit counts): of one point, or of the whole device."""

    after: Millis
    point: str | None = None
    hold: Millis = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Offline:
    """The device, or the broker in its name (last will), said it is gone."""

    hold: Millis = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class During:
    """The site's calendar of this name is open. Always known, whatever the device says."""

    calendar: str
    schedule: Schedule
    hold: Millis = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    """True when every part is."""

    parts: tuple["Condition", ...]
    hold: Millis = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """True when one part is."""

    parts: tuple["Condition", ...]
    hold: Millis = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Negation:
    """True when the part is false; unknown stays unknown."""

    part: "Condition"
    hold: Millis = 0


Condition: TypeAlias = (
    Compare | OneOf | Changed | Rate | Happened | Count | Silent | Offline | During | AllOf | AnyOf | Negation
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRule:
    """One level of a rule: its condition and how long that must hold."""

    level: Level
    when: Condition
    hold: Millis = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clear:
    """How an alert lets go: past ``deadband`` (in the point's unit) for ``hold``."""

    deadband: float = 0.0
    hold: Millis = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Flapping:
    """From so many transitions within so long on, an alert counts as chattering (EEMUA 191: three in a minute)."""

    transitions: int = 3
    within: Millis = MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is wrong when. ``levels`` are in ascending order of severity."""

    name: str
    title: Title
    levels: tuple[LevelRule, ...]
    clear: Clear = Clear()
    latched: bool = False
    """Stays active until a person resets it and the condition is gone."""
    shelvable: bool = True
    """False for life safety: it cannot be shelved or muted, and two people take it out of service."""
    shelve_max: Millis = DAY
    """The longest a person may shelve it for."""
    re_alarm: Millis | None = None
    """An acknowledged alert that is still active asks again after this long."""
    flapping: Flapping = Flapping()
    auto_ack: bool = False
    """Goes back to normal by itself when the condition goes."""
    named_ack: bool = False
    """Only a person who gives a name may acknowledge it."""
    work_order: Mapping[Level, str] = field(default_factory=dict)
    """The template to open an order from when the alert reaches the level."""
    runbook: Title | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """Suppression by design: while ``when`` holds, alerts of ``rules`` are kept quiet (panel in test mode)."""

    name: str
    title: Title
    when: Condition
    rules: tuple[str, ...]
    hold: Millis = 0
    clear: Clear = Clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """Planned work: while the schedule is open, what it covers is kept quiet, life safety excepted."""

    name: str
    title: Title
    schedule: Schedule
    devices: frozenset[str]
    rules: frozenset[str] | None = None
    """None for every rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A profile with one set of parameters: what a device of it measures and what is wrong when."""

    profile: str
    title: Title
    points: Mapping[str, Point]
    events: Mapping[str, EventType]
    rules: Mapping[str, Rule]
    report_every: Millis
    codec: str = "native-json"
    topics: tuple[str, ...] = ()
    """Topic patterns it claims beside the native ones, with ``{device}`` as capture."""
    late_accept: Millis = 7 * DAY
    max_future: Millis = 2 * MINUTE
    params: Mapping[str, float] = field(default_factory=dict)
    """The parameters in force after all overrides; durations in milliseconds."""
    durations: frozenset[str] = frozenset()
    """Which of them are durations."""
    suppressions: Mapping[str, Suppression] = field(default_factory=dict)


_NO_ORIGINS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One device of the site."""

    id: str
    kind: Kind
    title: Title
    series: Series
    """Measurement and tags in the telemetry store: site, device, and building and floor when set."""
    building: str | None = None
    floor: str | None = None
    place: str | None = None
    via: str | None = None
    """The device through which it is heard: while that one is lost, nothing is known of this one."""
    tags: tuple[str, ...] = ()
    """Ids of the tags on the asset itself; a tap on one proves that somebody stood there."""
    virtual: bool = False
    """It stands for a checkpoint, a route or a guard: the gateway itself speaks for it, and nothing else can."""
    origins: Mapping[str, str] = field(default_factory=lambda: _NO_ORIGINS)
    """Who in the files gave a parameter its value, ``site`` or ``device``; the profile did where nobody is named."""


Setting: TypeAlias = float | str
"""A parameter as a person gives it: a number, or a duration such as ``3m``."""

Tuner: TypeAlias = Callable[[str, Mapping[str, Setting]], "Device | list[str]"]
"""The device with these parameters laid over those of the files, or what is wrong with them.

Pure: the same plan and parameters always give an equal device, and equal ones share a kind."""


def untunable(_device: str, _params: Mapping[str, Setting]) -> Device | list[str]:
    """The tuner of a plan that was not built from files."""
    return ["this plan has no files that say what its parameters mean"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePlan:
    """Everything in force at one site. ``digest`` identifies the text it was built from."""

    site: str
    title: Title
    timezone: str
    digest: str
    devices: Mapping[str, Device]
    templates: Mapping[str, Template]
    teams: Mapping[str, Team]
    boot_grace: Millis = 2 * MINUTE
    """No silence or offline alert until this long after a start or a return of the broker."""
    topic_root: str = "facility"
    max_payload: int = 64 * 1024
    """Bytes."""
    event_retention: Millis = 90 * DAY
    """How long personal attributes of events are kept."""
    buildings: Mapping[str, Building] = field(default_factory=dict)
    checkpoints: Mapping[str, Checkpoint] = field(default_factory=dict)
    routes: Mapping[str, Route] = field(default_factory=dict)
    patrol: Patrol = field(default_factory=Patrol)
    calendars: Mapping[str, WorkingTime] = field(default_factory=dict)
    maintenance: tuple[Maintenance, ...] = ()
    preventive: Mapping[str, Preventive] = field(default_factory=dict)
    targets: Mapping[str, Target] = field(default_factory=dict)
    callouts: tuple[Callout, ...] = ()
    """Who is told of what; the first that matches an alert decides."""
    grouping: Grouping = field(default_factory=Grouping)
    stale_after: Millis = 24 * HOUR
    """An alert active for longer is stale (EEMUA 191)."""
    currency: str = "CNY"
    """ISO 4217."""
    tuner: Tuner = untunable

    @property
    def equipment(self) -> Mapping[str, Device]:
        """The devices that are really there: those that stand for checkpoints, routes and guards left out."""
        return {name: device for name, device in self.devices.items() if not device.virtual}
