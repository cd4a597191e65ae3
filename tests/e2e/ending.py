"""How a run over a stream ends: everything stored, and the records those of an undisturbed run."""

from pathlib import Path

from tests.e2e.mill import Stream, now, telemetry, topic
from tests.e2e.process import GatewayProcess
from tests.e2e.publisher import Publisher
from tests.e2e.readback import embedded, influxdb, stored
from tests.e2e.undisturbed import undisturbed


async def caught_up(gateway: GatewayProcess, publisher: Publisher, word: str) -> None:
    """Return once everything published before is committed."""
    await publisher.publish([(topic("press-0"), telemetry(now(), label=word))])
    await gateway.until(
        lambda: gateway.kept.last("press-0", "label") == word, "the last message to be committed"
    )


async def finish(gateway: GatewayProcess, publisher: Publisher) -> None:
    """Return once everything published is committed and stored and the gateway has ended cleanly."""
    await caught_up(gateway, publisher, "end")
    await gateway.until(lambda: gateway.kept.waiting == 0, "the outbox to drain")
    assert gateway.stop() == 0, gateway.words


async def assert_all_kept(
    gateway: GatewayProcess, site: Path, stream: Stream, *, influx_url: str | None = None, without: str = ""
) -> None:
    """Every reading is stored once, nothing was refused, and the history is that of an undisturbed run.

    ``without`` is the id of a record that the stream did not make.
    """
    found, expected = gateway.kept.history(without), undisturbed(site, stream)
    assert found.alerts == expected.alerts
    assert found.orders == expected.orders
    assert found.outcomes == expected.outcomes
    assert gateway.kept.dead == 0
    assert gateway.kept.refused == {}
    async with embedded(gateway.data) if influx_url is None else influxdb(influx_url) as store:
        assert await stored(store, stream) == stream.readings
