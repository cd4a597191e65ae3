"""Looking up every name an expectation uses, before anything is played."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from gateway.codecs.reasons import REASONS
from gateway.core.order_state import OrderState
from gateway.core.patrol.flags import FLAGS
from gateway.core.patrol.memory import RoundState
from gateway.core.patrol.rounds import WORDS
from gateway.core.plan import SitePlan
from gateway.core.state import AlertState, Cause
from gateway.core.values import Json, Level
from gateway.rehearsal.forms import ANY, DETAILS, ENDED, KINDS, OF_OUTCOMES, REPLIES
from gateway.rehearsal.moments import check_time
from gateway.rehearsal.scenario import Expectation
from gateway.rehearsal.step_names import order_names
from gateway.site.fields import positive_duration, shown
from gateway.site.problems import Report, unknown

LEVELS = tuple(level.label for level in Level)
ALERT_STATES = (*(str(state) for state in AlertState if state is not AlertState.NORMAL), ENDED)
ORDER_STATES = tuple(str(state) for state in OrderState)
ROUND_STATES = tuple(str(state) for state in RoundState)
_DUE = re.compile(r"(?:\d{4}-\d{2}-\d{2}[ T])?(?:[01]?\d|2[0-3]):[0-5]\d")
PRIORITIES = ("emergency", "high", "normal", "low")
STOPS = (*(word for word in WORDS if word != "extra"), "pending")
"""What can become of a stop, or is so far while its round is open."""
WHYS = ("new", "joined", "risen", "again", "escalation", "repeat", "opened", "breached", "not_accepted")
"""Why a notice is sent."""


def check_expectation(one: Expectation, plans: Sequence[SitePlan], report: Report) -> None:
    """Look up the names of an expectation; one of these sites must know each.

    Args:
        one: the expectation.
        plans: the sites in force where it is judged.
        report: takes what is wrong.
    """

    def word(field: str, what: str, allowed: Iterable[str]) -> None:
        names = [*dict.fromkeys(allowed)]
        value = one.given[field]
        if not isinstance(value, str):
            report(
                (*one.path, field), f"found {shown(value)}; the name of a {what} is needed (put it in quotes)"
            )
        elif value not in names:
            report((*one.path, field), unknown(what, value, names))

    if "device" in one.given and not (one.form == "work_order" and one.given["device"] is None):
        anybody = () if one.form == "device" else (ANY,)
        word("device", "device", [*(name for plan in plans for name in plan.devices), *anybody])
    for field, value in one.given.items():
        if (field == "at" or field.endswith("_at")) and value is not None:
            _taken(one, field, check_time, report)
    if "within" in one.given:
        _taken(one, "within", positive_duration, report)
    _check_form(one, plans, word, report)


def _check_form(
    one: Expectation,
    plans: Sequence[SitePlan],
    word: Callable[[str, str, Iterable[str]], None],
    report: Report,
) -> None:
    form, given = one.form, one.given
    here = _Names(plans, one.device)
    if form in NAMED:
        what, names = NAMED[form]
        word(form, what, [*names(here), *((ANY,) if form.startswith("no_") else ())])
    if form in ("alert", "no_alert") and one.device is None and given.get("device") != ANY:
        report((*one.path, form), "say on which device, with 'device'")
    for field, (what, names) in FIELDS.get(form, {}).items():
        if given.get(field) is not None:
            word(field, what, names(here))
    for check in CHECKS.get(form, ()):
        check(one, here, report)
    for field, allowed in STATES.get(form, {}).items():
        if field in given:
            word(field, field, allowed)


class _Names:
    """The names there are in some sites, of one device where one is meant."""

    def __init__(self, plans: Sequence[SitePlan], device: str | None) -> None:
        self.plans = plans
        self.devices = [
            one for plan in plans for one in plan.devices.values() if device is None or one.id == device
        ]
        self.rules = [name for one in self.devices for name in one.kind.rules]
        self.orders = [name for plan in plans for name in order_names(plan)]
        self.routes = [name for plan in plans for name in plan.routes]
        self.targets = [name for plan in plans for name in plan.targets]
        self.teams = [name for plan in plans for name in plan.teams]
        self.attributes = [
            name
            for plan in plans
            for one in plan.devices.values()
            for event in one.kind.events.values()
            for name in event.attributes
        ]


NAMED: Mapping[str, tuple[str, Callable[[_Names], Iterable[str]]]] = MappingProxyType(
    {
        "alert": ("rule", lambda here: here.rules),
        "no_alert": ("rule", lambda here: here.rules),
        "work_order": ("work order", lambda here: here.orders),
        "no_work_order": ("work order", lambda here: here.orders),
        "notice": ("rule, template or route", lambda here: (*here.rules, *here.orders, *here.routes)),
        "no_notice": ("rule, template or route", lambda here: (*here.rules, *here.orders, *here.routes)),
        "round": ("route", lambda here: here.routes),
        "outcome": ("kind of outcome", lambda _: KINDS),
        "rejected": ("reason", lambda _: REASONS),
        "reply": ("reply", lambda _: REPLIES),
    }
)
"""What stands behind the name of each form, and which are right."""


FIELDS: Mapping[str, Mapping[str, tuple[str, Callable[[_Names], Iterable[str]]]]] = MappingProxyType(
    {
        "notice": {"to": ("target", lambda here: here.targets)},
        "no_notice": {"to": ("target", lambda here: here.targets)},
        "outcome": {"rule": ("rule", lambda here: here.rules)},
        "work_order": {"team": ("team", lambda here: here.teams)},
    }
)
"""Fields that name something of the site, by form."""

STATES: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "alert": {"level": LEVELS, "worst": LEVELS, "state": ALERT_STATES},
        "work_order": {"level": LEVELS, "state": ORDER_STATES, "priority": PRIORITIES},
        "notice": {"why": WHYS},
        "no_notice": {"why": WHYS},
        "outcome": {"level": LEVELS},
        "round": {
            "state": ROUND_STATES,
            "result": ("pending", "complete", "doubtful", "incomplete", "unknown", "cancelled"),
        },
        "tap": {"grade": ("A", "B", "C", "D")},
    }
)
"""Fields with words of their own, by form."""


def _check_stops(one: Expectation, here: _Names, report: Report) -> None:
    stops = one.given.get("stops", {})
    if not isinstance(stops, dict):
        report((*one.path, "stops"), f"found {shown(stops)}; a mapping is needed, such as {{gate: on_time}}")
        return
    known = [stop.checkpoint for plan in here.plans for route in plan.routes.values() for stop in route.stops]
    for name, word in stops.items():
        if name not in known:
            report((*one.path, "stops", name), unknown("checkpoint", name, dict.fromkeys(known)))
        if word not in STOPS:
            report((*one.path, "stops", name), unknown("word for a stop", str(word), STOPS))


def _check_details(one: Expectation, here: _Names, report: Report) -> None:
    """A detail that no outcome has would be missing for ever, and under ``never`` nobody would notice."""
    known = [*OF_OUTCOMES, *DETAILS, *here.attributes]
    for name in one.given:
        if name != "outcome" and name not in known:
            report((*one.path, name), unknown("detail", name, dict.fromkeys(known)))


def _check_cause(one: Expectation, _here: _Names, report: Report) -> None:
    cause = one.given.get("cause")
    for name in cause if isinstance(cause, dict) else ():
        if name not in Cause.__struct_fields__:
            report((*one.path, "cause", name), unknown("field", name, Cause.__struct_fields__))


def _check_flags(one: Expectation, _here: _Names, report: Report) -> None:
    flags = one.given.get("flags", [])
    for flag in flags if isinstance(flags, list) else [flags]:
        if flag not in FLAGS:
            report((*one.path, "flags"), unknown("flag", str(flag), FLAGS))


def _check_due(one: Expectation, _here: _Names, report: Report) -> None:
    if "due" in one.given:
        _taken(one, "due", _due, report)


def _check_points(one: Expectation, here: _Names, report: Report) -> None:
    values = one.given.get("values", {})
    if "online" not in one.given and values == {}:
        words = f"nothing is expected of {one.given['device']}; say what it is, with 'online' or 'values'"
        report(one.path, words)
        return
    if not isinstance(values, dict):
        report((*one.path, "values"), f"found {shown(values)}; a mapping (point: value) is needed")
        return
    known = [name for device in here.devices for name in device.kind.points]
    for name in values:
        if name not in known:
            report((*one.path, "values", name), unknown("point", name, dict.fromkeys(known)))


def _due(value: Json) -> None:
    if not isinstance(value, str) or not _DUE.fullmatch(value):
        raise ValueError(f'found {shown(value)}; a local time is needed, such as "22:00" or 2026-01-05 22:00')


def _taken(one: Expectation, field: str, read: Callable[[Json], object], report: Report) -> None:
    path = (*one.path, field)
    try:
        read(one.given[field])
    except ValueError as exc:
        report(path, str(exc))


CHECKS: Mapping[str, tuple[Callable[[Expectation, _Names, Report], None], ...]] = MappingProxyType(
    {
        "alert": (_check_cause,),
        "device": (_check_points,),
        "outcome": (_check_details, _check_flags),
        "round": (_check_stops, _check_due),
        "tap": (_check_flags,),
    }
)
"""What else is looked at, by form."""
