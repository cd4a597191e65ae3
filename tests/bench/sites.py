"""Sites of any size for the benchmarks: rooms with a realistic sensor, five rules each."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from gateway.core.inputs import Telemetry
from gateway.core.values import Millis

REPORT_EVERY: Millis = 10_000
PROFILE = """\
profile: room
title: {en: Room sensor, zh: 房间传感器}
report_every: 10s
points:
  temp: {title: {en: Temperature, zh: 温度}, type: float, unit: Cel, valid: [-40, 85]}
  humidity: {title: {en: Humidity, zh: 湿度}, type: float, unit: "%", valid: [0, 100]}
  co2: {title: {en: Carbon dioxide, zh: 二氧化碳}, type: int, unit: "[ppm]", valid: [0, 2500]}
  battery: {title: {en: Battery, zh: 电池}, type: float, unit: "%", valid: [0, 100]}
events:
  tamper: {title: {en: Opened, zh: 被打开}}
params: {temp_high: 30, temp_critical: 40}
rules:
  hot:
    title: {en: Too hot, zh: 温度过高}
    levels:
      warning: {when: {point: temp, above: $temp_high}, for: 2m}
      critical: {when: {point: temp, above: $temp_critical}, for: 30s}
    clear: {deadband: 2, for: 5m}
  stuffy:
    title: {en: Stuffy air, zh: 空气混浊}
    levels: {warning: {when: {point: co2, above: 1500}, for: 10m}}
    clear: {deadband: 200, for: 5m}
  damp:
    title: {en: Damp, zh: 潮湿}
    levels: {info: {when: {point: humidity, outside: [20, 75]}, for: 30m}}
    clear: {deadband: 3}
  opened:
    title: {en: Opened, zh: 被打开}
    levels: {warning: {when: {event: tamper}}}
  silent: {title: {en: Silent, zh: 无数据}, levels: {warning: {when: {silent_for: 3x}}}}
"""


def write_rooms(folder: Path, devices: int) -> Path:
    """A site file with so many rooms on floors of a hundred, written as its owner's export would be."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "room.yaml").write_text(PROFILE)
    floors = ", ".join(f"F{number}" for number in range(-(-devices // 100)))
    rooms = "".join(
        f"  - {{id: r{number}, profile: room, building: main, floor: F{number // 100}}}\n"
        for number in range(devices)
    )
    site = folder / "site.yaml"
    site.write_text(
        "site: rooms\ntitle: {en: Rooms, zh: 房间}\ntimezone: UTC\nprofiles: [room.yaml]\n"
        "settings: {boot_grace: 0s}\n"  # else no silence is looked at for the first two minutes
        f"buildings: {{main: {{floors: [{floors}]}}}}\ndevices:\n{rooms}"
    )
    return site


def room_readings(names: Sequence[str], start: Millis) -> Iterator[Telemetry]:
    """What the rooms report, one after the other and each every ten seconds, for ever.

    Every value moves at every reading. One room in a hundred becomes too hot for a while, but never for long enough
    for an alert.
    """
    for number in itertools.count():
        turn, room = divmod(number, len(names))
        at = start + number * REPORT_EVERY // len(names)
        warm = 12.0 if (room + turn) % 100 == 0 else 0.0
        yield Telemetry(
            at,
            names[room],
            at,
            {
                "temp": 20.0 + (turn + room) % 7 / 2 + warm,
                "humidity": 40.0 + (turn * 3 + room) % 25,
                "co2": 600 + (turn * 7 + room) % 300,
                "battery": 100.0 - turn % 50 / 10,
            },
        )
