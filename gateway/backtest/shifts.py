"""The shifts of a site: eight hours each, from 06:00, 14:00 and 22:00 of the local clock."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import timedelta, tzinfo
from itertools import pairwise
from typing import Final

from gateway.core.local_time import first_moment, wall_time
from gateway.core.quality_figures import Period
from gateway.core.values import Millis

BEGIN: Final = (6, 14, 22)
"""Hours of the local clock at which a shift begins. A site file names no shifts of its own."""


def shifts(window: Period, zone: tzinfo) -> list[Period]:
    """The shifts that a window touches, each as far as it lies in it, in order.

    Where the clock is put forward or back, a shift is an hour shorter or longer.
    """
    day = wall_time(window.start, zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    day -= timedelta(days=1)
    begins: list[Millis] = []
    while not begins or begins[-1] < window.end:
        begins.extend(first_moment(day.replace(hour=hour), zone) for hour in BEGIN)
        day += timedelta(days=1)
    whole = (Period(max(start, window.start), min(end, window.end)) for start, end in pairwise(begins))
    return [one for one in whole if one.start < one.end]


def shift_of(at: Millis, found: Sequence[Period]) -> int:
    """The place of the shift that a moment of the window lies in."""
    return bisect_right(found, at, key=lambda one: one.start) - 1
