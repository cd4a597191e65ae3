"""Taking up the work where the disk says it stood."""

import logging
from collections.abc import Callable

from gateway.adapters.sql.recorder import Bundle
from gateway.adapters.sql.store import Store
from gateway.clock import Clock
from gateway.collector import resting
from gateway.core.engine import Engine
from gateway.core.inputs import Configured, Started
from gateway.core.plan import SitePlan
from gateway.core.values import Millis
from gateway.errors import SiteError
from gateway.turn import Turn

log = logging.getLogger(__name__)


async def recover(
    store: Store,
    bundle: Bundle,
    plan: SitePlan,
    plan_of: Callable[[str, bytes], SitePlan],
    clock_from: Callable[[Millis], Clock],
) -> tuple[Engine, Clock]:
    """Load what is remembered, say since when nobody was watching, and put the plan in force if it is another one.

    Raises:
        StoreError: the records cannot be read, or not be written.
    """
    with resting():
        loaded = await store.load()
        scalars = loaded.state.scalars
        clock = clock_from(scalars.now)
        changed = loaded.config is None or loaded.config.digest != bundle.digest
        engine = Engine(_plan_before(loaded.config, plan, plan_of) if changed else plan, loaded.state)
        turn = Turn(clock.now())
        turn.record(Started(turn.at, scalars.now or None))
        if changed:
            turn.record(Configured(turn.at, plan))
        effects = engine.step(turn.inputs)
        await store.commit(turn.entries, effects, engine.state, bundle if changed else None)
    return engine, clock


def _plan_before(
    config: Bundle | None, plan: SitePlan, plan_of: Callable[[str, bytes], SitePlan]
) -> SitePlan:
    """What was in force until now. One that this version cannot read any more ends here."""
    if config is None:
        return plan
    try:
        return plan_of(config.digest, config.body)
    except SiteError as error:
        log.warning("the site file that was in force until now is not valid any more: %s", error)
        return plan
