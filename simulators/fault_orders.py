"""Faults on demand, as they are asked for on the command line: ``stuck:lift-1@5m+10m``."""

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from gateway.core.plan import Device, SitePlan
from gateway.core.values import SECOND, Millis
from gateway.site.fields import duration
from gateway.site.problems import unknown
from simulators.errors import SimulationError
from simulators.faults import Fault, FaultKind
from simulators.fleet import taken_by

EVERYBODY = "*"
FORM = "write KIND:DEVICE@START+DURATION, such as stuck:lift-1@5m+10m"
ALSO: Mapping[str, FaultKind] = MappingProxyType(
    {
        "drop_out": FaultKind.OFFLINE,
        "stuck_value": FaultKind.STUCK,
        "duplicates": FaultKind.DUPLICATE,
        "reordering": FaultKind.REORDER,
        "malformed_payloads": FaultKind.MALFORMED,
        "reconnect_storms": FaultKind.RECONNECT_STORM,
    }
)
"""Other words for a fault."""
_ORDER = re.compile(r"(?P<kind>[^:@]*):(?P<device>[^@]*)@(?P<start>[^+]*)\+(?P<duration>.*)", re.DOTALL)


def fault_orders(texts: Iterable[str], plan: SitePlan, length: Millis | None = None) -> list[Fault]:
    """The faults that some texts ask for.

    Args:
        texts: each ``KIND:DEVICE@START+DURATION``. DEVICE is a device's id, or a profile's name for all of its devices,
            or ``*`` for every device that takes the fault. START counts from the start of the simulation.
        plan: the site.
        length: how long the simulation is, milliseconds; a fault must begin within it. None is without an end.

    Raises:
        SimulationError: a text is of another form, or names a fault, a device or a time that cannot be.
    """
    return [fault for text in texts for fault in _order(text, plan, length)]


def _order(text: str, plan: SitePlan, length: Millis | None) -> list[Fault]:
    match = _ORDER.fullmatch(text)
    if match is None:
        raise SimulationError(f"fault {text!r} cannot be read; {FORM}")
    kind = _kind(text, match["kind"].strip())
    start = _time(text, "start", match["start"].strip())
    lasting = _time(text, "duration", match["duration"].strip())
    if lasting == 0:
        raise SimulationError(f"fault {text!r}: a duration of 0 is no fault; give more, such as 30s")
    if length is not None and start >= length:
        raise SimulationError(
            f"fault {text!r} begins {start / SECOND:g} s after the start, and the simulation ends after {length / SECOND:g} s"
        )
    return [
        Fault(device.id, kind, start, lasting)
        for device in _takers(text, match["device"].strip(), kind, plan)
    ]


def _kind(text: str, word: str) -> FaultKind:
    name = word.replace("-", "_")
    if name in ALSO:
        return ALSO[name]
    try:
        return FaultKind(name)
    except ValueError as error:
        raise SimulationError(
            f"fault {text!r}: {unknown('fault', word, sorted(kind.value for kind in FaultKind))}"
        ) from error


def _time(text: str, what: str, word: str) -> Millis:
    try:
        return duration(f"{word}s" if word.isdecimal() else word)
    except ValueError as error:
        raise SimulationError(f"fault {text!r}: {what}: {error}") from error


def _takers(text: str, word: str, kind: FaultKind, plan: SitePlan) -> Sequence[Device]:
    known = plan.equipment
    if word in known:
        meant = [known[word]]
    elif word == EVERYBODY:
        meant = [device for device in known.values() if kind in taken_by(device)]
    else:
        meant = [device for device in known.values() if device.kind.profile == word]
    if not meant and word == EVERYBODY:
        raise SimulationError(f"fault {text!r}: no device of site {plan.site} takes {kind}")
    if not meant:
        profiles = sorted({device.kind.profile for device in known.values()})
        raise SimulationError(
            f"fault {text!r}: {unknown('device', word, known)}, nor is it a profile of the site ({', '.join(profiles)}) or *"
        )
    for device in meant:
        if kind not in (taken := taken_by(device)):
            raise SimulationError(
                f"fault {text!r}: {device.id} ({device.kind.profile}) has no fault {kind}; it takes {', '.join(sorted(taken))}"
            )
    return meant
