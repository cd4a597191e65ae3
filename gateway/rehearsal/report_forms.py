"""Judging what is expected to have been reported: notices, outcomes, refusals, replies, the word of a device."""

from collections.abc import Iterable
from typing import Any

from gateway.core.effects import Outcome
from gateway.rehearsal.forms import ANY, OF_OUTCOMES
from gateway.rehearsal.scenario import Expectation
from gateway.rehearsal.telling import Telling, plain
from gateway.rehearsal.verdicts import Verdict, View, fields_of, on, wanted_of
from gateway.site.fields import duration


def notice(one: Expectation, view: View) -> Verdict | None:
    """A notice was sent."""
    found = _notices(one, view)
    if any(notice_fits(one, outcome, view) for outcome in found):
        return None
    name = one.given["notice"]
    alike = [outcome for outcome in found if name in _notice_names(outcome, view)] or found
    told = "; ".join(_notice_words(outcome, view) for outcome in alike[-5:])
    return Verdict(_notice_expected(one, view), told or "no notice was sent")


def no_notice(one: Expectation, view: View) -> Verdict | None:
    """No notice was sent."""
    found = [outcome for outcome in _notices(one, view) if notice_fits(one, outcome, view)]
    if not found:
        return None
    return Verdict(_notice_expected(one, view), "; ".join(_notice_words(outcome, view) for outcome in found))


def _notices(one: Expectation, view: View) -> list[Outcome]:
    within = one.given.get("within")
    since = 0 if within is None else view.now - duration(within)
    return [
        outcome for outcome in view.records.outcomes if outcome.kind == "notice.sent" and outcome.at >= since
    ]


def notice_fits(one: Expectation, outcome: Outcome, view: View) -> bool:
    """Whether a notice is about what the expectation names, and goes to whom."""
    name = str(one.given[one.form])
    detail, given = outcome.detail, one.given
    if name != ANY and name not in _notice_names(outcome, view):
        return False
    if not _about_device(one, outcome, view):
        return False
    if "to" in given and given["to"] not in detail.get("targets", ()):
        return False
    return all(
        view.telling.fits(detail.get(field), given[field])
        for field in ("why", "step", "callout")
        if field in given
    )


def _about_device(one: Expectation, outcome: Outcome, view: View) -> bool:
    """Whether a notice is about the device that is meant. One of an order may be of none, one of a route is its own."""
    if one.device is None or one.given[one.form] == outcome.device:
        return True
    order = view.records.orders.get(str(outcome.detail.get("order")))
    if order is not None:
        return order.device in (None, one.device)
    # A notice of a group tells of several devices and names none.
    return one.device in _notice_devices(outcome, view)


def _notice_names(outcome: Outcome, view: View) -> set[str | None]:
    order = view.records.orders.get(str(outcome.detail.get("order")))
    names = {outcome.rule} if order is None else {order.template, order.rule}
    return names | {outcome.device}


def _notice_devices(outcome: Outcome, view: View) -> set[str | None]:
    alerts = (view.records.alerts.get(str(name)) for name in outcome.detail.get("alerts", ()))
    return {outcome.device, *(alert.device for alert in alerts if alert is not None)}


def _notice_words(outcome: Outcome, view: View) -> str:
    order = view.records.orders.get(str(outcome.detail.get("order")))
    name = outcome.rule if order is None else order.template
    targets = ", ".join(outcome.detail.get("targets", ()))
    at = view.telling.moment(outcome.at)
    return f"notice {name}{on(outcome.device)} to {targets} at {at} (why: {outcome.detail.get('why')})"


def _notice_expected(one: Expectation, view: View) -> str:
    words = "notice" if one.form == "notice" else "no notice"
    name = str(one.given[one.form])
    wanted = wanted_of(one, one.form, "device")
    return f"{words} {name}{on(one.device)}:{fields_of(wanted, view)}".rstrip(":")


def outcome(one: Expectation, view: View) -> Verdict | None:
    """Something was reported."""
    within = one.given.get("within")
    outcomes = view.records.outcomes
    reported: Iterable[Outcome] = outcomes[view.records.judged :]
    if within is not None:
        since = view.now - duration(within)
        reported = [outcome for outcome in outcomes if outcome.at >= since]
    found = [*reported]
    if any(outcome_fits(one, outcome, view.telling) for outcome in found):
        return None
    kind = str(one.given["outcome"])
    alike = [outcome for outcome in found if outcome.kind == kind] or found
    words = "; ".join(outcome_words(outcome, view.telling) for outcome in alike[-8:])
    expected = f"outcome {kind}:{fields_of(wanted_of(one, 'outcome'), view)}".rstrip(":")
    return Verdict(expected, words or "nothing was reported")


def outcome_fits(one: Expectation, outcome: Outcome, telling: Telling) -> bool:
    """Whether something reported is what the expectation names."""
    if outcome.kind != one.given["outcome"] or (
        "device" in one.given and one.device not in (None, outcome.device)
    ):
        return False
    heads: dict[str, Any] = {
        "rule": outcome.rule,
        "level": outcome.level,
        "actor": outcome.actor,
        "by": outcome.actor,
        "at": outcome.at,
    }
    return all(
        telling.fits(heads[name] if name in heads else plain(outcome.detail.get(name)), value)
        for name, value in one.given.items()
        if name not in ("outcome", "device", "within")
    )


def outcome_words(outcome: Outcome, telling: Telling) -> str:
    """Something reported, in a line."""
    level = f"/{outcome.level}" if outcome.level else ""
    about = f" {outcome.rule}{level}" if outcome.rule else ""
    detail = "".join(
        f" {name}={telling.show(plain(value))}"
        for name, value in outcome.detail.items()
        if value is not None and name not in OF_OUTCOMES
    )
    return f"{outcome.kind}{about}{on(outcome.device)} at {telling.moment(outcome.at)}{detail}"


def rejected(one: Expectation, view: View) -> Verdict | None:
    """Something was refused."""
    reason = one.given["rejected"]
    found = view.records.refused
    if any(refused.rejection.reason == reason for refused in found):
        return None
    words = "; ".join(f"{refused.rejection.reason}: {refused.rejection.detail}" for refused in found)
    return Verdict(f"refused: {reason}", words or "nothing was refused")


def reply(one: Expectation, view: View) -> Verdict | None:
    """The answer to what a person asked for."""
    status, wanted = str(one.given["reply"]), wanted_of(one, "reply", "device")
    expected = f"reply {status}:{fields_of(wanted, view)}".rstrip(":")
    if not view.records.replies:
        return Verdict(expected, "nobody asked for anything in this step")
    reply = view.records.replies[-1]
    if reply.status == status and view.telling.fits(plain(reply), wanted):
        return None
    allowed = f" (allowed: {', '.join(reply.allowed)})" if reply.allowed else ""
    return Verdict(expected, f"reply {reply.status}: {reply.detail or 'no more words'}{allowed}")


def device(one: Expectation, view: View) -> Verdict | None:
    """What is known of a device."""
    name, wanted = str(one.given["device"]), wanted_of(one, "device")
    dev = view.engine.state.devices.get(name)
    values = {} if dev is None else {point: value for point, (_, value) in dev.last.items()}
    found = {"online": None if dev is None else dev.online, "values": values}
    if view.telling.fits(found, wanted):
        return None
    words = " ".join(f"{field}={view.telling.show(found[field], value)}" for field, value in wanted.items())
    return Verdict(f"device {name}:{fields_of(wanted, view)}", f"device {name}: {words}")
