"""The times of a story: since its start, or as a local clock shows them where the story has a beginning."""

from datetime import datetime, timedelta

from gateway.core.local_time import instant, wall_time
from gateway.core.values import Millis, show_duration
from gateway.site.fields import duration
from gateway.site.zones import zone


class Clock:
    """Reads and shows times. A time of day is the next one after the step before; ``22:05:30`` and dates work too."""

    def __init__(self, timezone: str, begin: str | None, start: Millis) -> None:
        self._zone = zone(timezone)
        self.local = begin is not None
        self.start = start if begin is None else instant(datetime.fromisoformat(begin), self._zone)

    def read(self, text: str, before: Millis) -> Millis:
        """The moment that is meant."""
        if ":" not in text:
            return self.start + duration(text)
        if "-" in text:
            return instant(datetime.fromisoformat(text), self._zone)
        parts = [int(part) for part in text.split(":")]
        wall = wall_time(before, self._zone).replace(
            hour=parts[0], minute=parts[1], second=0, microsecond=0, fold=0
        )
        wall += timedelta(seconds=parts[2] if len(parts) > 2 else 0)
        at = instant(wall, self._zone)
        return at if at >= before else instant(wall + timedelta(days=1), self._zone)

    def show(self, at: Millis) -> str:
        """The moment as the story writes it."""
        if not self.local:
            return show_duration(at - self.start)
        wall = wall_time(at, self._zone)
        return f"{wall:%H:%M:%S}" if wall.second else f"{wall:%H:%M}"
