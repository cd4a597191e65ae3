"""A running gateway with its broker and devices, in the hands of a test."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from api.pytest_plugin.child import FacilityFailed, GatewayChild
from api.pytest_plugin.ledger import Ledger, Row
from api.pytest_plugin.stage import Stage
from api.pytest_plugin.voices import Voices
from gateway.core.plan import SitePlan
from gateway.site.problems import unknown

T = TypeVar("T")

PATIENCE: Final = 30.0
"""Seconds a condition may take; only something broken takes as long."""
START_WITHIN: Final = 60.0
"""Seconds the gateway may take until it is ready."""
PAUSE: Final = 0.05
"""Seconds between two looks."""
NEEDED: Final = ("broker", "store", "telemetry", "ingest")
"""What is well before a test begins. Notices are not among it: a test gives them no address."""


class Facility(Voices, Ledger):
    """A gateway that runs, made by the fixture ``facility_gateway``."""

    def __init__(self, plan: SitePlan, stage: Stage, here: Path, gateway: GatewayChild) -> None:
        super().__init__(plan, stage, here)
        self._gateway = gateway
        self._waits_for = ""
        self._told = False

    @property
    def url(self) -> str:
        """Where the gateway serves HTTP, such as ``http://127.0.0.1:40123``; another port after each start."""
        return self._gateway.url

    @property
    def log(self) -> str:
        """What the gateway has written."""
        return self._gateway.words

    def wait_for_alert(
        self, rule: str, device: str | None = None, timeout: float = PATIENCE, **fields: object
    ) -> Row:
        """The newest alert of a rule whose fields agree (``level="critical"``), as soon as there is one.

        Raises:
            FacilityFailed: there is none after ``timeout`` seconds; the text has those there are.
        """
        __tracebackhide__ = True
        wanted = self.wanted_alert(rule, device, fields)
        return self._wait(partial(self.alerts, **wanted), alert_words(wanted), timeout, device)[0]

    def wait_until(
        self, condition: Callable[[], T], what: str = "a condition", timeout: float = PATIENCE
    ) -> T:
        """What the condition returns, as soon as that is true.

        Raises:
            FacilityFailed: it is not after ``timeout`` seconds, or the gateway or a device has died before.
        """
        __tracebackhide__ = True
        return self._wait(condition, what, timeout, None)

    def _wait(self, condition: Callable[[], T], what: str, timeout: float, device: str | None) -> T:
        __tracebackhide__ = True
        deadline = time.monotonic() + timeout
        while not (found := condition()):
            self.expect_more(what, deadline, timeout, device)
            time.sleep(PAUSE)
        return found

    def expect_more(self, what: str, deadline: float, timeout: float, device: str | None) -> None:
        """Fail where waiting is of no use any more: something has died, or ``time.monotonic()`` is past the deadline."""
        __tracebackhide__ = True
        if why := self.why_silent() or self._why_still():
            raise FacilityFailed(f"while waiting for {what}: {why}")
        if time.monotonic() > deadline:
            about = self.situation(device) if self.url else self._gateway.tail
            raise FacilityFailed(f"waited {timeout:g} s in vain for {what}\n{self._waits_for}{about}")

    def wanted_alert(self, rule: str, device: str | None, fields: dict[str, object]) -> dict[str, object]:
        """The fields an alert is to have. Raises :class:`FacilityFailed` for a rule or device the site does not have."""
        __tracebackhide__ = True
        if device is not None and device not in self._plan.devices:
            raise FacilityFailed(unknown("device", device, self._plan.devices))
        kinds = [one.kind for name, one in self._plan.devices.items() if device in (None, name)]
        rules = dict.fromkeys(name for kind in kinds for name in kind.rules)
        if rule not in rules:
            raise FacilityFailed(unknown("rule", rule, rules))
        return {"rule": rule} | ({} if device is None else {"device": device}) | fields

    def start(self) -> None:
        """Start the gateway again after :meth:`stop` or :meth:`kill`; returns once it is ready."""
        __tracebackhide__ = True
        self._gateway.start()
        self.wait_until(self._is_ready, "the gateway to be ready", START_WITHIN)
        self._waits_for = ""

    def stop(self) -> None:
        """End the gateway in good order. Broker and devices go on."""
        __tracebackhide__ = True
        self._gateway.stop()

    def kill(self) -> None:
        """End the gateway as a power cut would. Broker and devices go on."""
        self._gateway.kill()

    def close(self) -> None:
        """End all of it.

        Raises:
            FacilityFailed: the gateway or a device had died, which nobody has been told yet, or dies of it.
        """
        __tracebackhide__ = True
        try:
            if not self._told:
                self._gateway.stop()
            if why := self._why_still():
                raise FacilityFailed(why)
        finally:
            self._gateway.kill()
            self._stage.close()

    def why_silent(self) -> str:
        """How the gateway ended by itself, with its last words; empty while it runs."""
        death = self._gateway.death
        self._told = self._told or bool(death)
        return death

    def _why_still(self) -> str:
        trouble = self._stage.trouble()
        return "" if trouble is None else f"the simulated devices have stopped: {trouble}"

    def _is_ready(self) -> bool:
        if not self.url:
            return False
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=10) as answer:  # noqa: S310  # loopback
                parts = json.load(answer)["parts"]
        except urllib.error.HTTPError as error:
            parts = json.load(error)["parts"]
        except OSError:
            return False
        ill = [f"{name}: {parts[name]['words']}" for name in NEEDED if not parts[name]["ok"]]
        self._waits_for = "".join(f"{line}\n" for line in ill)
        return not ill


def alert_words(wanted: dict[str, object]) -> str:
    """An alert in words: ``alert motor_overheat on lift-1: level=critical``."""
    place = f" on {wanted['device']}" if "device" in wanted else ""
    fields = " ".join(f"{name}={value}" for name, value in wanted.items() if name not in ("rule", "device"))
    return f"alert {wanted['rule']}{place}" + (f": {fields}" if fields else "")
