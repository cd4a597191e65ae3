"""When a tap was really made. A device's clock is a claim; what it says is corrected and marked, never refused."""

from typing import NamedTuple

from gateway.core.inputs import Tap
from gateway.core.patrol.memory import KNOWN_KEPT, Source
from gateway.core.values import MINUTE, SECOND, Millis

WRONG: Millis = 2 * MINUTE
"""A clock so far off is told."""
SLACK: Millis = 5 * SECOND
"""What the way of a message and two readings of a clock may differ by."""


class Made(NamedTuple):
    """When it was made, and what is to be said of that time."""

    ts: Millis
    flags: tuple[str, ...]


def made_at(one: Tap, source: Source | None) -> Made:
    """The time of a tap by the gateway's clock, not after its receipt.

    Where the device says what its clock shows at the upload, the difference to the receipt is its skew, and the tap is
    moved by it: so a clock that stands in 1970 does no harm. Else its clock is taken as it is. The true time lies
    between the moment the device was last known to hold nothing and the receipt.
    """
    flags: list[str] = []
    skew = 0 if one.sent is None else one.at - one.sent
    ts = one.ts + skew
    if abs(skew) > WRONG:
        flags.append("clock_wrong")
    if one.before is not None and one.ts < one.before:
        flags.append("clock_jump")
    if ts > one.at:
        if one.sent is not None and ts > one.at + SLACK:
            flags.append("clock_jump")  # it was set back between the tap and the upload
        elif ts > one.at + WRONG:
            flags.append("time_impossible")
        elif ts > one.at + SLACK:
            flags.append("clock_wrong")
        ts = one.at
    if ts < one.at - KNOWN_KEPT:
        flags.append("time_impossible")
    elif ts < _empty_before(one, source) - SLACK:
        flags.append("clock_suspect")
    return Made(ts, tuple(flags))


def _empty_before(one: Tap, source: Source | None) -> Millis:
    """When the device was last known to hold nothing, before this upload."""
    if source is None or source.empty_at is None:
        return 0
    return source.empty_at if source.empty_at < one.at else source.empty_before or 0
