"""A facility for coroutines: the same names, awaited, so that the test's own loop goes on meanwhile."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, overload

from api.pytest_plugin.facility import PATIENCE, PAUSE, Facility, alert_words
from api.pytest_plugin.ledger import Row
from gateway.core.values import Scalar
from simulators.faults import Fault

T = TypeVar("T")


class AsyncFacility:
    """What ``await facility_gateway.asynchronous(…)`` gives. See :class:`~api.pytest_plugin.facility.Facility`."""

    def __init__(self, facility: Facility) -> None:
        self._facility = facility

    @property
    def url(self) -> str:
        """Where the gateway serves HTTP; another port after each start."""
        return self._facility.url

    @property
    def mqtt_url(self) -> str:
        """The broker."""
        return self._facility.mqtt_url

    @property
    def log(self) -> str:
        """What the gateway has written."""
        return self._facility.log

    async def publish(self, topic: str, payload: object, *, qos: int = 1, retain: bool = False) -> None:
        """Publish a message: bytes and text as they are, anything else as JSON."""
        await asyncio.to_thread(self._facility.publish, topic, payload, qos=qos, retain=retain)

    async def telemetry(
        self, device: str, values: Mapping[str, Scalar] | None = None, **points: Scalar
    ) -> None:
        """Let a device report values of its points, measured now."""
        await asyncio.to_thread(self._facility.telemetry, device, {**(values or {}), **points})

    async def event(self, device: str, type_: str, /, **attributes: Scalar) -> None:
        """Let a device report that something happens now."""
        await asyncio.to_thread(self._facility.event, device, type_, **attributes)

    async def status(self, device: str, status: str) -> None:
        """Let a device say ``online``, or its last will ``offline``."""
        await asyncio.to_thread(self._facility.status, device, status)

    async def simulate(
        self, devices: Collection[str] | None = None, *, seed: int = 0, faults: Sequence[Fault | str] = ()
    ) -> None:
        """Let simulated devices live from now on, in real time; all of the site's where none are named."""
        await asyncio.to_thread(self._facility.simulate, devices, seed=seed, faults=faults)

    async def play(self, file: str | Path, title: str = "") -> None:
        """Let devices send what a ``*.scenario.yaml`` says, from now on, in real time."""
        await asyncio.to_thread(self._facility.play, file, title)

    async def inject(self, device: str, fault: str, lasting: str = "5m") -> None:
        """Let something go wrong with a simulated device from now on."""
        await asyncio.to_thread(self._facility.inject, device, fault, lasting)

    async def get(self, path: str, **params: object) -> Any:  # noqa: ANN401  # whatever the JSON is
        """What a path under ``/api/v1`` answers."""
        return await asyncio.to_thread(self._facility.get, path, **params)

    async def post(self, path: str, body: object = None, *, actor: str = "test") -> Any:  # noqa: ANN401  # as above
        """Have something done, as a person."""
        return await asyncio.to_thread(self._facility.post, path, body, actor=actor)

    async def alerts(self, **fields: object) -> list[Row]:
        """The alerts whose fields agree, the newest first, ended ones too."""
        return await asyncio.to_thread(self._facility.alerts, **fields)

    async def work_orders(self, **fields: object) -> list[Row]:
        """The work orders whose fields agree, the newest first."""
        return await asyncio.to_thread(self._facility.work_orders, **fields)

    async def wait_for_alert(
        self,
        rule: str,
        device: str | None = None,
        timeout: float = PATIENCE,  # noqa: ASYNC109  # it says what was awaited
        **fields: object,
    ) -> Row:
        """The newest alert of a rule whose fields agree, as soon as there is one."""
        __tracebackhide__ = True
        wanted = self._facility.wanted_alert(rule, device, fields)
        found: list[Row] = await self._wait(
            partial(self.alerts, **wanted), alert_words(wanted), timeout, device
        )
        return found[0]

    @overload
    async def wait_until(
        self,
        condition: Callable[[], Awaitable[T]],
        what: str = ...,
        timeout: float = ...,  # noqa: ASYNC109  # as above
    ) -> T: ...

    @overload
    async def wait_until(
        self,
        condition: Callable[[], T],
        what: str = ...,
        timeout: float = ...,  # noqa: ASYNC109  # as above
    ) -> T: ...

    async def wait_until(
        self,
        condition: Callable[[], T | Awaitable[T]],
        what: str = "a condition",
        timeout: float = PATIENCE,  # noqa: ASYNC109  # as above
    ) -> T:
        """What the condition returns, as soon as that is true; it may be a coroutine function."""
        __tracebackhide__ = True
        found: T = await self._wait(condition, what, timeout, None)
        return found

    async def _wait(
        self,
        condition: Callable[[], Any],
        what: str,
        timeout: float,  # noqa: ASYNC109  # as above
        device: str | None,
    ) -> Any:  # noqa: ANN401  # of the condition
        __tracebackhide__ = True
        deadline = time.monotonic() + timeout
        while True:
            answer = condition()
            found = await answer if inspect.isawaitable(answer) else answer
            if found:
                return found
            await asyncio.to_thread(self._facility.expect_more, what, deadline, timeout, device)
            await asyncio.sleep(PAUSE)

    async def start(self) -> None:
        """Start the gateway again; returns once it is ready."""
        await asyncio.to_thread(self._facility.start)

    async def stop(self) -> None:
        """End the gateway in good order. Broker and devices go on."""
        await asyncio.to_thread(self._facility.stop)

    async def kill(self) -> None:
        """End the gateway as a power cut would. Broker and devices go on."""
        await asyncio.to_thread(self._facility.kill)
