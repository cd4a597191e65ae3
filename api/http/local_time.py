"""The site's time zone: its offset, its days and where they begin."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from gateway.core.quality import SLOT
from gateway.core.quality_figures import Period
from gateway.core.values import SECOND, Millis
from gateway.site.zones import zone


class LocalTime:
    """The site's time zone."""

    def __init__(self, timezone: str) -> None:
        self._zone = zone(timezone)

    def offset_at(self, moment: Millis) -> Millis:
        """How far local time is ahead of UTC."""
        offset = datetime.fromtimestamp(moment // SECOND, self._zone).utcoffset()
        found = 0 if offset is None else int(offset.total_seconds()) * SECOND
        return found - found % SLOT  # one zone had an odd half minute until 1972

    def day_of(self, moment: Millis) -> date:
        """The local day a moment lies in."""
        return datetime.fromtimestamp(moment // SECOND, self._zone).date()

    def midnight(self, day: date) -> Millis:
        """When a local day begins."""
        begin = datetime(day.year, day.month, day.day, tzinfo=self._zone)
        return int(begin.timestamp()) * SECOND

    def days(self, period: Period) -> Iterator[tuple[date, Period]]:
        """The local days of a period, each as far as it lies in it."""
        day = self.day_of(period.start)
        while (begin := self.midnight(day)) < period.end:
            after = day + timedelta(days=1)
            yield day, Period(max(begin, period.start), min(self.midnight(after), period.end))
            day = after
