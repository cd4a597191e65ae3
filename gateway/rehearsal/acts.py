"""What people do in a scenario: which record they mean, and with which arguments."""

from typing import Any

from gateway.core.values import Json, Millis
from gateway.rehearsal.forms import ANY
from gateway.rehearsal.moments import signed_duration
from gateway.rehearsal.records import Records
from gateway.rehearsal.scenario import Step


def target_of(step: Step, records: Records) -> str | None:
    """The id of what an act is about; None where there is no such record."""
    given = step.given
    verb = str(given["act"])
    device = None if step.device == ANY else step.device
    family = verb.partition(".")[0]
    if "target" in given:
        return str(given["target"])
    if verb == "work_order.open":
        return device or ""
    if family == "device":
        return device
    if "order" in given:
        return _id(records.order(str(given["order"]), device))
    if "round" in given:
        return _id(records.round(str(given["round"])))
    if "tap" in given:
        return _id(records.taps.get(str(given["tap"])))
    rule = str(given["rule"])
    return _id(records.order(rule, device) if family == "work_order" else records.alert(rule, device))


def arguments_of(step: Step, records: Records, now: Millis) -> dict[str, Any]:
    """The arguments of an act: ``now+2h`` and ``now-5m`` are moments, ``{order: X}`` and ``{alert: X}`` ids of records."""
    given = step.given.get("with", {})
    args = (
        {name: _argument(value, step, records, now) for name, value in given.items()}
        if isinstance(given, dict)
        else {}
    )
    if str(step.given["act"]).startswith("device.") and "rule" in step.given:
        args["rule"] = step.given["rule"]
    return args


def _argument(value: Json, step: Step, records: Records, now: Millis) -> Any:  # noqa: ANN401 - arguments are untyped
    if isinstance(value, list):
        return [_argument(one, step, records, now) for one in value]
    if isinstance(value, str) and value[:4] in ("now+", "now-"):
        try:
            return now + signed_duration(value[3:])
        except ValueError:
            return value
    if isinstance(value, dict) and len(value) == 1:
        (kind, name), *_ = value.items()
        if kind == "order" and isinstance(name, str):
            return _id(records.order(name, step.device))
        if kind == "alert" and isinstance(name, str):
            return _id(records.alert(name, step.device))
    return value


def _id(record: Any) -> str | None:  # noqa: ANN401 - any record with an id
    return None if record is None else str(record.id)


def meant_by(step: Step) -> str:
    """The record an act is about, in words."""
    given = step.given
    for name, words in (("order", "work order"), ("round", "round"), ("tap", "tap")):
        if name in given:
            return f"{words} {given[name]}"
    kind = "work order" if str(given["act"]).startswith("work_order.") else "alert"
    where = f" on {step.device}" if step.device else ""
    return f"{kind} {given.get('rule', '')}{where}"
