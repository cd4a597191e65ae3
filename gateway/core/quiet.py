"""Why people are not told of an alert, beside the alert's own state (ISA-18.2, OPC UA part 9).

The condition goes on being judged; only the telling stops. Four reasons, the strongest first:

==================  ==================================================================================
``out_of_service``  people took the rule, or its device, out of service; life safety needs two of them
``shelved``         a person set the rule aside for a while, or until it next clears; never life safety
``by_design``       a suppression of the profile holds: panel in test mode, elevator in inspection
``maintenance``     a maintenance window of the site is open; never life safety
==================  ==================================================================================
"""

import enum
from collections.abc import Iterator

from gateway.core.desk import Desk
from gateway.core.plan import Device, Rule
from gateway.core.state import DeviceState, Outage, Phase

EVERY_RULE = ""
"""Stands for all rules of a device among its outages."""


class How(enum.StrEnum):
    """Why nobody is told."""

    OUT_OF_SERVICE = "out_of_service"
    SHELVED = "shelved"
    BY_DESIGN = "by_design"
    MAINTENANCE = "maintenance"


def reason(desk: Desk, device: Device, dev: DeviceState, rule: Rule) -> How | None:
    """Why people are not told of this rule's alerts now; None when they are."""
    if dev.outages and any(outage.confirmed_at is not None for outage in outages(dev, rule.name)):
        return How.OUT_OF_SERVICE
    if rule.name in dev.shelves:
        return How.SHELVED
    for key in desk.program(device.kind).silenced_by.get(rule.name, ()):
        state = dev.levels.get(key)
        if state is not None and state.phase is not Phase.PENDING:
            return How.BY_DESIGN
    if rule.shelvable and _under_maintenance(desk, device.id, rule.name):
        return How.MAINTENANCE
    return None


def outages(dev: DeviceState, rule: str) -> Iterator[Outage]:
    """Everything that takes the rule out of service, asked for or in force."""
    for key in (EVERY_RULE, rule):
        outage = dev.outages.get(key)
        if outage is not None:
            yield outage


def _under_maintenance(desk: Desk, device: str, rule: str) -> bool:
    return any(
        (window.rules is None or rule in window.rules) and window.schedule.is_open(desk.moment.now)
        for window in desk.maintenance.get(device, ())
    )
