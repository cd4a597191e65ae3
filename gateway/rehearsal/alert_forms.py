"""Judging what is expected of alerts."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.core.state import Alert
from gateway.rehearsal.forms import ANY, ENDED
from gateway.rehearsal.scenario import Expectation
from gateway.rehearsal.telling import Telling, plain
from gateway.rehearsal.verdicts import Verdict, View, fields_of, on, wanted_of


def alert(one: Expectation, view: View) -> Verdict | None:
    """The newest alert of a rule."""
    rule = str(one.given["alert"])
    wanted = wanted_of(one, "alert", "device")
    found = view.records.alert(rule, one.device)
    if found is not None and alert_fits(found, wanted, view.telling):
        return None
    about = f"alert {rule}{on(one.device)}"
    live = "" if "state" in wanted else " live"
    expected = f"{about}:{live}{fields_of(wanted, view)}" if wanted or live else about
    if found is None:
        return Verdict(expected, f"no {about} so far{_live_there(one.device, view)}")
    return Verdict(expected, alert_words(found, view.telling, wanted))


def alert_fits(found: Alert, wanted: Mapping[str, Any], telling: Telling) -> bool:
    """Whether an alert has the wanted fields. Where no state is wanted it must not have ended."""
    ended = found.ended_at is not None
    state = wanted.get("state")
    if ended is not (state == ENDED):
        return False
    return all(
        telling.fits(plain(getattr(found, name)), value)
        for name, value in wanted.items()
        if (name, value) != ("state", ENDED)
    )


def alert_words(found: Alert, telling: Telling, wanted: Mapping[str, Any] = MappingProxyType({})) -> str:
    """An alert in a line, with what is wanted of it."""
    state = ENDED if found.ended_at is not None else str(found.state)
    shown = [f"level={found.level.label}", f"state={state}"]
    shown.append(f"raised_at={telling.show(found.raised_at, wanted.get('raised_at'))}")
    if found.ended_at is not None:
        shown.append(f"ended_at={telling.show(found.ended_at, wanted.get('ended_at'))}")
    if found.suppressed is not None:
        shown.append(f"suppressed={found.suppressed}")
    told = {word.partition("=")[0] for word in shown}
    shown += [
        f"{name}={telling.show(plain(getattr(found, name)), value)}"
        for name, value in wanted.items()
        if name not in told
    ]
    return f"alert {found.rule} on {found.device}: {' '.join(shown)}"


def no_alert(one: Expectation, view: View) -> Verdict | None:
    """No live alert, of one rule or at all."""
    rule = str(one.given["no_alert"])
    live = [
        alert
        for alert in view.engine.state.alerts.values()
        if rule in (ANY, alert.rule) and one.device in (None, alert.device)
    ]
    if not live:
        return None
    what = "no live alert" if rule == ANY else f"no live alert {rule}"
    return Verdict(f"{what}{on(one.device)}", "; ".join(alert_words(alert, view.telling) for alert in live))


def _live_there(device: str | None, view: View) -> str:
    live = [
        f"{alert.rule} ({alert.level.label})"
        for alert in view.engine.state.alerts.values()
        if device in (None, alert.device)
    ]
    return f"; live there: {', '.join(live)}" if live else "; nothing is live there"
