"""Reading a stream's readings back from where the gateway put them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.adapters.embedded.store import EmbeddedStore
from gateway.adapters.influx import InfluxStore
from gateway.adapters.influx_settings import InfluxSettings
from gateway.core.values import Millis
from gateway.ports import Query, TelemetryStore
from tests.e2e.mill import DEVICES, Stream, series


@asynccontextmanager
async def embedded(data: Path) -> AsyncIterator[TelemetryStore]:
    """The embedded store of a gateway that has ended."""
    store = EmbeddedStore(data / "telemetry")
    yield store
    await store.close()


@asynccontextmanager
async def influxdb(url: str) -> AsyncIterator[TelemetryStore]:
    """The server the gateway wrote to."""
    store = InfluxStore(InfluxSettings.parse(url))
    yield store
    await store.close()


async def numbers(
    store: TelemetryStore, device: str, span: tuple[Millis, Millis]
) -> list[tuple[Millis, int]]:
    """Time and number of each stored reading of a device, in order of time, repeats and all."""
    (answer,) = await store.read(Query(series(device), ["seq"], *span, None, limit=1_000_000))
    return [(ts, int(value)) for ts, value in answer.samples]


async def stored(store: TelemetryStore, stream: Stream) -> dict[str, list[tuple[Millis, int]]]:
    """The same for every device, comparable with :attr:`Stream.readings`."""
    return {device: await numbers(store, device, stream.span) for device in DEVICES}
