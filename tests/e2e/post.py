"""A gatehouse whose guards walk one round a night, with a reader, a phone and a secure tag."""

import datetime as dt
import json
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway.codecs.tag_keys import TagKeys
from gateway.core.values import HOUR, MINUTE, Millis
from simulators.ntag import SimulatedTag
from tests.e2e.mill import now

MASTER = "0F1E2D3C4B5A69788796A5B4C3D2E1F0"
GATE, PUMP, ROOF = "04B1000001", "04B1000003", "04A22B1C3D5E90"
WALKER, OTHER = "g-meier", "g-schulz"
ZONE = "Asia/Shanghai"

SITE = """\
site: gatehouse
timezone: %(zone)s
settings: {boot_grace: 0s}
devices: [{id: reader-1, profile: patrol_reader}]
work_orders: {security-response: {}, reader-repair: {}}
guards: {%(walker)s: {}, %(other)s: {}}
checkpoints:
  - {id: gate, tags: [%(gate)s]}
  - {id: pump, tags: [%(pump)s]}
  - {id: roof, important: true, tags: [{id: %(roof)s, secure: true}]}
routes:
  - {id: night, checkpoints: [gate, pump, roof], every: FREQ=DAILY, start: "%(start)s", lasts: 30m, early: 20m, grace: 10m, late_upload: 1h}
"""


class Night:
    """Its one round, and how far ahead the gateway's clock has to be for a moment of it."""

    def __init__(self) -> None:
        zone = ZoneInfo(ZONE)
        begin = (dt.datetime.now(zone) + dt.timedelta(hours=1)).replace(second=0, microsecond=0)
        self.begin: Millis = int(begin.timestamp()) * 1_000
        self.close: Millis = self.begin + 40 * MINUTE + HOUR
        self.date = f"{begin:%Y-%m-%d}"
        self._start = f"{begin:%Y-%m-%d %H:%M}"
        (keys,) = TagKeys.parse(MASTER).of_site("gatehouse")
        file_key = keys.file(bytes.fromhex(ROOF), 1)
        self.tag = SimulatedTag(ROOF, 1, "https://gatehouse.example/t", keys.meta, file_key)

    def write(self, folder: Path) -> Path:
        """The site file."""
        site = folder / "site.yaml"
        words = {"zone": ZONE, "walker": WALKER, "other": OTHER, "start": self._start}
        site.write_text(SITE % {**words, "gate": GATE, "pump": PUMP, "roof": ROOF})
        return site

    def ahead(self, minutes: int) -> Millis:
        """So far is a clock ahead that shows so many minutes after the begin of the round now."""
        return self.begin + minutes * MINUTE - now()

    def at(self, minutes: float) -> Millis:
        """So many minutes after the begin."""
        return self.begin + int(minutes * MINUTE)


def stored(*taps: dict[str, object]) -> tuple[str, bytes]:
    """What a reader had in store, as one message."""
    return "facility/gatehouse/reader-1/tap", json.dumps(list(taps)).encode()
