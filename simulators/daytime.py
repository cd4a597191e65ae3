"""The day of a building: what hour it is there and how busy it is."""

import itertools
import math
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from gateway.core.values import Millis

_HOURS = (
    (0.0, 0.15),
    (5.5, 0.15),
    (7.0, 0.6),
    (8.5, 1.0),
    (10.0, 0.5),
    (12.0, 0.9),
    (14.0, 0.5),
    (17.5, 1.0),
    (19.5, 0.5),
    (23.0, 0.2),
    (24.0, 0.15),
)
"""Hour of day and how busy the building is, 1.0 at its peaks; straight lines in between."""


def hour_of_day(at: Millis, zone: ZoneInfo) -> float:
    """Local wall time in hours, 0 up to 24, to the second."""
    return _hour_of_day(at // 1000, zone)


# Many devices ask for the same second, and each of them several times.
@lru_cache(maxsize=256)
def _hour_of_day(second: int, zone: ZoneInfo) -> float:
    local = datetime.fromtimestamp(second, zone)
    return local.hour + local.minute / 60 + local.second / 3600


@lru_cache(maxsize=256)
def busyness(hour: float) -> float:
    """How busy the building is, 0.15 at night to 1.0 at the morning and evening peaks."""
    for (left, low), (right, high) in itertools.pairwise(_HOURS):
        if left <= hour < right:
            return low + (high - low) * (hour - left) / (right - left)
    return _HOURS[-1][1]


@lru_cache(maxsize=256)
def daily_swing(hour: float) -> float:
    """A sine over the day, -1 at four in the morning and +1 at four in the afternoon: what temperatures follow."""
    return math.sin((hour - 10) / 12 * math.pi)
