"""A simulation as a traffic file: what a gateway would have been told, without a broker."""

from collections.abc import Callable
from pathlib import Path

from gateway.core.values import SECOND, Millis
from gateway.traffic import TrafficWriter
from simulators.living import Living, Progress

SLICE: Millis = 10 * SECOND
"""Simulated milliseconds that are held in memory at once."""


def write_traffic(
    fleet: Living, file: Path, end: Millis, progress: Callable[[Progress], None] | None = None
) -> Progress:
    """Write everything a fleet sends until ``end`` (inclusive), in order of time.

    The same fleet gives the same bytes, compressed or not. The file appears under its name when it is complete. A birth
    stands in it as a gateway hears it that listens: not retained.

    Args:
        fleet: the devices.
        file: ``.gz`` and ``.zst`` are compressed.
        end: the last simulated moment, milliseconds UTC.
        progress: called now and then; the last state is also returned.

    Raises:
        TrafficError: the file cannot be written.
    """
    state = Progress(fleet.now, 0, 0)
    with TrafficWriter.open(file) as out:
        write = out.message
        while fleet.now < end:
            for one in fleet.advance(min(end, fleet.now + SLICE)):
                write(one.at, one.topic, one.payload, one.qos)
            state = Progress(fleet.now, out.lines, 0)
            if progress is not None:
                progress(state)
    return state
