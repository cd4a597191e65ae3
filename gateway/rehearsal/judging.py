"""Judging one expectation at the moment it is about."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from gateway.rehearsal import alert_forms, order_forms, patrol_forms, report_forms
from gateway.rehearsal.scenario import Expectation
from gateway.rehearsal.verdicts import Verdict, View

JUDGES: Mapping[str, Callable[[Expectation, View], Verdict | None]] = MappingProxyType(
    {
        "alert": alert_forms.alert,
        "no_alert": alert_forms.no_alert,
        "work_order": order_forms.order,
        "no_work_order": order_forms.no_order,
        "round": patrol_forms.round_,
        "notice": report_forms.notice,
        "no_notice": report_forms.no_notice,
        "tap": patrol_forms.tap,
        "outcome": report_forms.outcome,
        "rejected": report_forms.rejected,
        "reply": report_forms.reply,
        "device": report_forms.device,
    }
)
"""Who judges which form."""


def judge(one: Expectation, view: View) -> Verdict | None:
    """None where the expectation is met, else what was expected and what was found."""
    return JUDGES[one.form](one, view)
