"""What must never become true: looked at whenever anything has changed."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from gateway.core.effects import Effects
from gateway.rehearsal.alert_forms import alert_fits, alert_words
from gateway.rehearsal.judging import judge
from gateway.rehearsal.order_forms import order_fits, order_words
from gateway.rehearsal.patrol_forms import round_fits, round_words
from gateway.rehearsal.records import is_due
from gateway.rehearsal.report_forms import notice_fits, outcome_fits, outcome_words
from gateway.rehearsal.scenario import Expectation
from gateway.rehearsal.verdicts import Verdict, View

RAISED = ("alert.raised", "alert.raised_again", "alert.risen")
"""The outcomes by which an alert reaches a level."""


def broken(one: Expectation, effects: Effects, view: View) -> str | None:
    """What makes a forbidden thing true in a step of the engine; None where it did not."""
    return next(BANS[one.form](one, effects, view), None)


def _alert(one: Expectation, effects: Effects, view: View) -> Iterator[str]:
    rule, telling = one.given["alert"], view.telling
    wanted = {name: value for name, value in one.given.items() if name not in ("alert", "device")}
    for alert in effects.alerts.values():
        if alert.rule == rule and one.device in (None, alert.device) and alert_fits(alert, wanted, telling):
            yield alert_words(alert, telling, wanted)
    if wanted.keys() <= {"level"}:
        # One that came and went within the same moment was there all the same.
        for outcome in effects.outcomes:
            if (
                outcome.kind in RAISED
                and outcome.rule == rule
                and one.device in (None, outcome.device)
                and wanted.get("level") in (None, outcome.level)
            ):
                yield outcome_words(outcome, telling)


def _order(one: Expectation, effects: Effects, view: View) -> Iterator[str]:
    name = one.given["work_order"]
    wanted = {field: value for field, value in one.given.items() if field not in ("work_order", "device")}
    for order in effects.orders.values():
        if (
            name in (order.template, order.rule)
            and (one.device is None or order.device in (None, one.device))
            and order_fits(order, wanted, view.telling)
        ):
            yield order_words(order, view.telling, wanted)


def _round(one: Expectation, effects: Effects, view: View) -> Iterator[str]:
    wanted = {field: value for field, value in one.given.items() if field not in ("round", "due")}
    for found in effects.rounds.values():
        due = one.given.get("due")
        if (
            found.route == one.given["round"]
            and (due is None or is_due(found.key, str(due)))
            and round_fits(found, wanted, view.telling)
        ):
            yield round_words(found, view.telling, wanted)


def _notice(one: Expectation, effects: Effects, view: View) -> Iterator[str]:
    for outcome in effects.outcomes:
        if outcome.kind == "notice.sent" and notice_fits(one, outcome, view):
            yield outcome_words(outcome, view.telling)


def _outcome(one: Expectation, effects: Effects, view: View) -> Iterator[str]:
    for outcome in effects.outcomes:
        if outcome_fits(one, outcome, view.telling):
            yield outcome_words(outcome, view.telling)


def _tap(one: Expectation, effects: Effects, view: View) -> Iterator[str]:
    if any(tap.key == one.given["tap"] for tap in effects.taps.values()) and judge(one, view) is None:
        yield f"tap {one.given['tap']}"


def _rejected(one: Expectation, effects: Effects, _view: View) -> Iterator[str]:
    for rejection in effects.rejections:
        if rejection.reason == one.given["rejected"]:
            yield f"refused: {rejection.reason}: {rejection.detail}"


BANS: Mapping[str, Callable[[Expectation, Effects, View], Iterator[str]]] = MappingProxyType(
    {
        "alert": _alert,
        "work_order": _order,
        "round": _round,
        "notice": _notice,
        "tap": _tap,
        "outcome": _outcome,
        "rejected": _rejected,
    }
)


def verdict(one: Expectation, found: str, view: View) -> Verdict:
    """The words for a forbidden thing that came."""
    device = f" on {one.device}" if one.device and "device" not in one.given else ""
    words = " ".join(
        f"{name}={view.telling.show(value)}" for name, value in one.given.items() if name != one.form
    )
    return Verdict(f"never {one.form} {one.given[one.form]}{device} {words}".rstrip(), found)
