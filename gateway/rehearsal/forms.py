"""What can be expected, and which fields each form has."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from gateway.core.order_state import WorkOrder
from gateway.core.patrol.memory import Round, TapRecord
from gateway.core.state import Alert


def _fields(record: type[msgspec.Struct], *more: str, but: tuple[str, ...] = ()) -> tuple[str, ...]:
    return (*more, *(name for name in record.__struct_fields__ if name not in but))


FORMS: Mapping[str, tuple[str, ...] | None] = MappingProxyType(
    {
        "alert": _fields(Alert),
        "no_alert": ("device",),
        "work_order": _fields(WorkOrder),
        "no_work_order": ("device",),
        "round": _fields(Round, "due", but=("route",)),
        "notice": ("to", "why", "device", "step", "order", "callout", "within"),
        "no_notice": ("to", "why", "device", "within"),
        "tap": _fields(TapRecord),
        "outcome": None,
        "rejected": (),
        "reply": ("detail", "allowed", "subject", "version"),
        "device": ("online", "values"),
    }
)
"""Each form with its fields; None where any word may be one."""

POSITIVE = ("alert", "work_order", "round", "notice", "tap", "outcome", "rejected")
"""What may stand under ``never``."""
OF_OUTCOMES = ("device", "rule", "level", "actor", "by", "at", "within")
"""The fields of an outcome that are no detail of it."""
REPLIES = ("done", "conflict", "refused", "not_found")
ANY = "any"
ENDED = "ended"
"""The state of an alert that is over."""


def form_of(given: Mapping[str, object]) -> list[str]:
    """The forms a mapping names. ``device`` beside another says whom that is about."""
    found = [name for name in FORMS if name in given]
    others = [name for name in found if name != "device"]
    if "outcome" in others:
        return ["outcome"]  # its details may be called like other forms
    return others or found


DETAILS = (
    "after", "alert", "alerts", "announced", "asked_by", "assignee", "callout", "cause", "caused_by", "checkpoint",
    "clock", "cost", "count", "counted", "date", "decision", "digest", "due", "due_at", "early", "end", "epoch", "event",
    "extra", "flags", "grade", "guard", "hidden", "how", "item", "kind", "last", "lasted", "late", "late_upload", "limit",
    "made_up", "missed", "more", "name", "note", "on_time", "one_shot", "order", "params", "point", "predecessor",
    "preventive", "priority", "quantity", "price", "reason", "reasons", "result", "round", "rounds", "secure", "share",
    "silent", "since", "skipped", "start", "step", "suppressed", "tag", "tap", "target", "targets", "team", "template",
    "test", "text", "to", "transitions", "ts", "unit", "unknown", "until", "value", "was", "why", "within", "words",
)  # fmt: skip
"""What outcomes tell beside that, and beside the attributes of an event that caused one."""

KINDS = (
    "rejected",
    "alert.acknowledged",
    "alert.assigned",
    "alert.calm",
    "alert.chattering",
    "alert.cleared",
    "alert.commented",
    "alert.condition_gone",
    "alert.ended",
    "alert.fallen",
    "alert.in_service",
    "alert.out_of_service",
    "alert.out_of_service_asked",
    "alert.raised",
    "alert.raised_again",
    "alert.re_alarmed",
    "alert.repeated",
    "alert.reset",
    "alert.risen",
    "alert.shelved",
    "alert.stale",
    "alert.suppressed",
    "alert.unshelved",
    "alert.unsuppressed",
    "device.offline",
    "device.online",
    "device.params_dropped",
    "device.tuned",
    "duty.begun",
    "duty.handed_over",
    "duty.offered",
    "duty.withdrawn",
    "gateway.observing",
    "gateway.started",
    "gateway.unobserved",
    "guard.checked_in",
    "guard.token_given",
    "guard.token_revoked",
    "maintenance.began",
    "maintenance.ended",
    "notice.sent",
    "preventive.missed",
    "round.changed",
    "round.closed",
    "round.contact",
    "round.guard_lost",
    "round.guard_quiet",
    "round.judged",
    "round.opened",
    "round.skipped",
    "site.configured",
    "suppression.began",
    "suppression.ended",
    "tag.epoch_raised",
    "tag.registered",
    "tag.retired",
    "tap.judged",
    "tap.rejudged",
    "tap.reviewed",
    "work_order.alert_returned",
    "work_order.arrived",
    "work_order.assigned",
    "work_order.attached",
    "work_order.breach_lifted",
    "work_order.breached",
    "work_order.clock_warned",
    "work_order.commented",
    "work_order.cost_added",
    "work_order.cost_voided",
    "work_order.hold_ended",
    "work_order.moved",
    "work_order.not_accepted",
    "work_order.opened",
    "work_order.signed",
    "work_order.step_done",
    "work_order.step_failed",
)
"""Every kind of outcome there is."""
