"""Judging what is expected of work orders."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gateway.core.order_state import ENDED as ENDED_ORDERS
from gateway.core.order_state import WorkOrder
from gateway.rehearsal.forms import ANY
from gateway.rehearsal.scenario import Expectation
from gateway.rehearsal.telling import Telling, plain
from gateway.rehearsal.verdicts import Verdict, View, fields_of, on, wanted_of


def order(one: Expectation, view: View) -> Verdict | None:
    """The newest work order of a template or a rule."""
    name = str(one.given["work_order"])
    wanted = wanted_of(one, "work_order", *(() if one.device is None else ("device",)))
    found = view.records.order(name, one.device)
    if found is not None and order_fits(found, wanted, view.telling):
        return None
    open_ = "" if "state" in wanted else " open"
    expected = f"work order {name}{on(one.device)}:{open_}{fields_of(wanted, view)}"
    if found is None:
        return Verdict(expected, f"no work order {name}{on(one.device)} so far")
    return Verdict(expected, order_words(found, view.telling, wanted))


def order_fits(found: WorkOrder, wanted: Mapping[str, Any], telling: Telling) -> bool:
    """Whether an order has the wanted fields. Where no state is wanted it must not be over."""
    if "state" not in wanted and found.state in ENDED_ORDERS:
        return False
    return all(telling.fits(plain(getattr(found, name)), value) for name, value in wanted.items())


def order_words(found: WorkOrder, telling: Telling, wanted: Mapping[str, Any] = MappingProxyType({})) -> str:
    """A work order in a line, with what is wanted of it."""
    shown = {"state": None, "priority": None, "team": None, "assignee": None} | dict(wanted)
    words = " ".join(
        f"{name}={telling.show(plain(getattr(found, name)), value)}"
        for name, value in shown.items()
        if name in wanted or getattr(found, name) is not None
    )
    rule = f" of {found.rule}" if found.rule else ""
    return f"work order {found.template}{rule}{on(found.device)}: {words}"


def no_order(one: Expectation, view: View) -> Verdict | None:
    """No open work order, of one template or rule or at all."""
    name = str(one.given["no_work_order"])
    found = [
        order
        for order in view.records.orders.values()
        if order.state not in ENDED_ORDERS
        and name in (ANY, order.template, order.rule)
        and (one.device is None or order.device in (None, one.device))
    ]
    if not found:
        return None
    what = "no open work order" if name == ANY else f"no open work order {name}"
    return Verdict(f"{what}{on(one.device)}", "; ".join(order_words(order, view.telling) for order in found))
