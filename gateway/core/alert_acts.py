"""What a person does to an alert: acknowledge, reset, assign, comment, shelve."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from gateway.core import notices, shelving
from gateway.core.alert_table import ACTIVE, TABLE, Act
from gateway.core.alert_timers import await_re_alarm
from gateway.core.alerts import clear, end
from gateway.core.desk import Desk
from gateway.core.inputs import Command
from gateway.core.persons import is_same
from gateway.core.plan import Rule
from gateway.core.state import Alert, AlertState, Reply

ANONYMOUS = "operator"
"""Who acts where nobody says so."""


def ack(desk: Desk, alert: Alert, command: Command) -> Reply:
    """A person has seen it."""
    target = TABLE.get((alert.state, Act.ACK))
    if target is None:
        return _conflict(desk, alert, command, f"the alert was already acknowledged by {alert.acked_by}")
    known = rule_of(desk, alert)
    if known is not None and known.named_ack and is_same(command.actor, ANONYMOUS):
        return _conflict(desk, alert, command, "a person has to say by name that they have seen it")
    alert.state, alert.acked_at, alert.acked_by = target, desk.moment.now, command.actor
    desk.touch_alert(alert)
    after = desk.moment.now - alert.asked_at
    desk.report("alert.acknowledged", subject=alert, actor=command.actor, after=after)
    notices.settle(desk, alert)
    if target is AlertState.NORMAL:
        end(desk, desk.state.devices[alert.device], alert, "acknowledged")
    elif known is not None:
        await_re_alarm(desk, alert, known)
    return _done(alert, command)


def reset(desk: Desk, alert: Alert, command: Command) -> Reply:
    """A person resets a latched alert; only once its condition has gone."""
    rule = rule_of(desk, alert)
    if not alert.gone or alert.chattering:
        why = "its condition is still true" if alert.state in ACTIVE else "it is not active"
        if rule is None or not rule.latched:
            why = "its rule is not latched; it clears by itself"
        elif alert.chattering:
            why = "it is chattering; wait until it is calm"
        return _conflict(desk, alert, command, f"the alert cannot be reset: {why}")
    alert.reset_by = command.actor
    desk.report("alert.reset", subject=alert, actor=command.actor)
    clear(desk, desk.state.devices[alert.device], alert, actor=command.actor)
    return _done(alert, command)


def comment(desk: Desk, alert: Alert, command: Command) -> Reply:
    """A person adds a word to the history."""
    text = command.args.get("text")
    if not isinstance(text, str) or not text.strip():
        return Reply(command.id, "refused", "a comment needs a text", [], alert.id, alert.version)
    desk.touch_alert(alert)
    desk.report("alert.commented", subject=alert, actor=command.actor, text=text)
    return _done(alert, command)


def assign(desk: Desk, alert: Alert, command: Command) -> Reply:
    """Give the alert to a person, a team or both. What somebody else has is taken only by who saw that."""
    team, assignee = command.args.get("team", alert.team), command.args.get("assignee", alert.assignee)
    if not isinstance(team, str | None) or not isinstance(assignee, str | None):
        return Reply(command.id, "refused", "team and assignee are names", [], alert.id, alert.version)
    if team is not None and team not in desk.plan.teams:
        words = f"no team {team}; the site has {', '.join(sorted(desk.plan.teams)) or 'none'}"
        return Reply(command.id, "refused", words, sorted(desk.plan.teams), alert.id, alert.version)
    if (team, assignee) == (alert.team, alert.assignee):
        return _conflict(desk, alert, command, "that would change nothing: give team, assignee, or both")
    holder = alert.assignee or alert.team
    if holder is not None and command.expect is None:
        words = f"it is already with {holder}; send the version you saw to give it to somebody else"
        return _conflict(desk, alert, command, words)
    alert.team, alert.assignee = team, assignee
    desk.touch_alert(alert)
    desk.report("alert.assigned", subject=alert, actor=command.actor, assignee=assignee, team=team)
    return _done(alert, command)


def shelve(desk: Desk, alert: Alert, command: Command) -> Reply:
    """Set the alert's rule aside on its device."""
    return _of_rule(desk, alert, command, shelving.shelve)


def unshelve(desk: Desk, alert: Alert, command: Command) -> Reply:
    """End that."""
    return _of_rule(desk, alert, command, shelving.unshelve)


def _of_rule(
    desk: Desk,
    alert: Alert,
    command: Command,
    work: Callable[[Desk, str, str, Command], shelving.Answer],
) -> Reply:
    answer = work(desk, alert.device, alert.rule, command)
    able = [] if answer.status == "done" else verbs(alert, rule_of(desk, alert))
    return Reply(command.id, answer.status, answer.words, able, alert.id, alert.version)


def verbs(alert: Alert, rule: Rule | None) -> list[str]:
    """The verbs a person may use on an alert as it stands; none on one that has ended."""
    if alert.ended_at is not None:
        return []
    possible = {
        "ack": (alert.state, Act.ACK) in TABLE,
        "assign": True,
        "comment": True,
        "reset": alert.gone and not alert.chattering and rule is not None and rule.latched,
        "shelve": rule is not None and rule.shelvable and alert.suppressed != "shelved",
        "unshelve": alert.suppressed == "shelved",
    }
    return [verb for verb, able in possible.items() if able]


def allowed(desk: Desk, alert: Alert) -> list[str]:
    """The same for an alert on the desk."""
    return verbs(alert, rule_of(desk, alert))


def rule_of(desk: Desk, alert: Alert) -> Rule | None:
    """The alert's rule, while the site has it."""
    device = desk.plan.devices.get(alert.device)
    return None if device is None else device.kind.rules.get(alert.rule)


def _done(alert: Alert, command: Command) -> Reply:
    return Reply(command.id, "done", "", [], alert.id, alert.version)


def _conflict(desk: Desk, alert: Alert, command: Command, words: str) -> Reply:
    return Reply(command.id, "conflict", words, allowed(desk, alert), alert.id, alert.version)


VERBS: Mapping[str, Callable[[Desk, Alert, Command], Reply]] = MappingProxyType(
    {
        "alert.ack": ack,
        "alert.assign": assign,
        "alert.comment": comment,
        "alert.reset": reset,
        "alert.shelve": shelve,
        "alert.unshelve": unshelve,
    }
)
"""What a command can do to an alert."""
