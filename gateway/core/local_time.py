"""Between the site's wall clock and UTC milliseconds, where daylight saving skips an hour or repeats one."""

from datetime import datetime, timedelta, tzinfo

from gateway.core.values import SECOND, Millis

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall times of the core carry no zone
_MILLI = timedelta(milliseconds=1)


def wall_time(at: Millis, zone: tzinfo) -> datetime:
    """What a local clock shows at a moment, without a zone; ``fold`` is 1 where it shows it for the second time."""
    whole, part = divmod(at, SECOND)
    return datetime.fromtimestamp(whole, zone).replace(tzinfo=None, microsecond=part * 1_000)


def offset(wall: datetime, zone: tzinfo) -> Millis:
    """Local time less UTC at a wall time; before the change where that is skipped or repeated and ``fold`` is 0."""
    found = wall.replace(tzinfo=zone).utcoffset()
    return 0 if found is None else found // _MILLI


def is_skipped(wall: datetime, zone: tzinfo) -> bool:
    """Whether no local clock ever shows this time."""
    return offset(wall.replace(fold=0), zone) < offset(wall.replace(fold=1), zone)


def instant(wall: datetime, zone: tzinfo) -> Millis:
    """The moment of an appointment: the first of two; one that is skipped is as much later as the clock jumps.

    So says RFC 5545, section 3.3.5: 02:30 is 03:30 on the day the clock goes from 02:00 to 03:00.
    """
    return (wall - EPOCH) // _MILLI - offset(wall.replace(fold=0), zone)


def first_moment(wall: datetime, zone: tzinfo) -> Millis:
    """The first moment at which a local clock shows this time; where it is skipped, that of the jump over it."""
    if not is_skipped(wall, zone):
        return instant(wall, zone)
    before = offset(wall.replace(fold=0), zone)
    nominal = (wall - EPOCH) // _MILLI
    low, high = (nominal - offset(wall.replace(fold=1), zone)) // SECOND, (nominal - before) // SECOND
    while high - low > 1:
        middle = (low + high) // 2
        if offset(wall_time(middle * SECOND, zone), zone) == before:
            low = middle
        else:
            high = middle
    return high * SECOND
