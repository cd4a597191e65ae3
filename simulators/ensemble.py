"""Who lives in a simulation and what befalls them, as it is asked for on the command line or by a program."""

from collections.abc import Collection, Sequence
from fractions import Fraction

from gateway.core.plan import SitePlan
from gateway.core.values import DAY, Millis
from simulators.device import BUSY
from simulators.errors import SimulationError
from simulators.fault_orders import fault_orders
from simulators.faults import Fault
from simulators.fleet import MODELS, Fleet
from simulators.living import Living
from simulators.rate import paced
from simulators.schedule import demo_schedule
from simulators.steady import SteadyFleet

WEEK: Millis = 7 * DAY
"""How much of the schedule a simulation without an end draws up."""


def ensemble(  # noqa: PLR0913  keyword-only, one for each thing that can be asked for
    plan: SitePlan,
    *,
    start: Millis,
    seed: int = 0,
    end: Millis | None = None,
    only: Collection[str] | None = None,
    faults: Sequence[Fault] | None = None,
    orders: Sequence[str] = (),
    rate: Fraction | None = None,
    lean: bool = False,
) -> Living:
    """The devices of a site with their faults.

    Args:
        plan: the site.
        seed: the same seed gives the same bytes.
        start: the simulated moment of the start, milliseconds UTC.
        end: the last one; None is without an end.
        only: simulate these devices only.
        faults: what goes wrong; None is the demo's schedule where the site has a device of the demo's kinds.
        orders: what goes wrong besides, see :func:`simulators.fault_orders.fault_orders`.
        rate: messages a simulated second, all devices together; None is each device's own ``report_every``.
        lean: reports alone, see :class:`~simulators.steady.SteadyFleet`; nothing goes wrong.

    Raises:
        SimulationError: something asked for cannot be.
    """
    length = None if end is None else end - start
    if lean:
        if faults or orders:
            raise SimulationError("a lean fleet has no faults; ask for one without faults, or for a full one")
        return SteadyFleet(plan, seed=seed, start=start, only=only, rate=rate)
    asked = fault_orders(orders, plan, length)
    if faults is None:
        asked += _schedule(plan, seed, WEEK if length is None else length)
    else:
        asked += faults
    if only is not None:
        asked = [fault for fault in asked if fault.device in only or fault.device not in plan.equipment]
    life = BUSY
    if rate is not None:
        plan, life = paced(plan, rate, seed=seed, start=start)
    return Fleet(plan, seed=seed, start=start, faults=asked, only=only, life=life)


def _schedule(plan: SitePlan, seed: int, length: Millis) -> list[Fault]:
    """The demo's; none for a site that has no device of the demo's kinds."""
    known = any(device.kind.profile in MODELS for device in plan.equipment.values())
    return demo_schedule(plan, seed, length) if known else []
