"""Looking at one step: how what is wrong with it is found and told."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from gateway.core.plan import Device
from gateway.core.values import Json
from gateway.rehearsal.scenario import Step
from gateway.site.fields import shown
from gateway.site.problems import Report, unknown


class Look:
    """Looks at the names of one step.

    Args:
        step: the step.
        report: takes what is wrong.
        registering: tags may have been registered by the scenario, so that not all stand in the site file.
    """

    def __init__(self, step: Step, report: Report, *, registering: bool) -> None:
        self.step, self.given, self.registering = step, step.given, registering
        self._report = report

    def say(self, path: Sequence[str | int], message: str) -> None:
        """Report something at a part of the step."""
        self._report((*self.step.path, *path), message)

    def take(self, path: Sequence[str | int], value: Json, read: Callable[[Json], object]) -> None:
        """Report what ``read`` says is wrong with a value."""
        try:
            read(value)
        except ValueError as exc:
            self.say(path, str(exc))

    def mapping(self, field: str, *, some: bool = True) -> Mapping[str, Json]:
        """A field that is a mapping; an empty one, and a problem, where it is none."""
        value = self.given.get(field, {})
        if isinstance(value, dict) and (value or not some):
            return value
        words = "it" if value == {} else f"{shown(value)}; a mapping (name: value) is needed"
        self.say((field,), f"found {words}" + (" empty; at least one entry is needed" if value == {} else ""))
        return {}

    def word(self, path: Sequence[str | int], what: str, found: Json, allowed: Iterable[str]) -> None:
        """Report a name that is not among those allowed."""
        names = [*allowed]
        if not isinstance(found, str):
            self.say(path, f"found {shown(found)}; the name of a {what} is needed (put it in quotes)")
        elif found not in names:
            self.say(path, unknown(what, found, names))

    def sender(self) -> Device | None:
        """The device that sends; None, and a problem, where there is none that could."""
        name = self.step.device
        device = self.step.plan.devices.get(name or "")
        if device is None:
            names = ", ".join(list(self.step.plan.equipment)[:12]) or "none"
            self.say((), f"say which device does it, with 'device'; the site has {names}")
        elif device.virtual:
            self.say((), f"{name} is no device that sends: the gateway itself speaks for it")
            return None
        return device


def text_of(value: Json) -> str:
    """Take a text that is not empty.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(value, str) or not value:
        raise ValueError(f"found {shown(value)}; text is needed (put it in quotes)")
    return value


def whole_of(value: Json) -> int:
    """Take a whole number from 0 up.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"found {shown(value)}; a whole number is needed")
    return value
