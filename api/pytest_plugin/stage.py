"""What a test's gateway lives among: a broker, a connection to publish on, devices. A thread with a loop of its own.

So a test may be a plain function or a coroutine, and whatever blocks in it holds up no device.
"""

import asyncio
import concurrent.futures
import contextlib
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Collection, Sequence
from pathlib import Path
from typing import Final, TypeVar

from gateway.core.plan import SitePlan
from gateway.core.values import Millis
from gateway.site.problems import unknown
from simulators.broker import broker
from simulators.errors import SimulationError
from simulators.fault_orders import fault_orders
from simulators.faults import Fault, FaultKind
from simulators.fleet import Fleet
from simulators.line import Address, Line
from simulators.living import Living
from simulators.publication import Publication
from simulators.publisher import ANSWER_WITHIN, publisher
from simulators.ready import Telling, story
from simulators.simulate import play

T = TypeVar("T")

PATIENCE: Final = 30.0
"""Seconds that starting, publishing and stopping may take each."""


class Stage:
    """A running broker, and what publishes on it; :meth:`close` ends all of it.

    Args:
        plan: the site.
        broker: ``auto``, ``mosquitto`` or ``amqtt``, see :func:`simulators.broker.broker`; or the URL of one that runs.

    Raises:
        SimulationError: no broker is installed, it does not start, or none answers at the URL.
    """

    def __init__(self, plan: SitePlan, broker: str = "auto") -> None:
        self._plan = plan
        self._broker = broker
        self._fleets: list[Fleet] = []
        self._acting: list[asyncio.Task[None]] = []
        self._began: concurrent.futures.Future[str] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._run, name="facility stage", daemon=True)
        self._thread.start()
        self.url = self._began.result(2 * PATIENCE)
        """Where the broker is."""

    def spawn(
        self, words: Sequence[str], *, env: dict[str, str], folder: Path, log: Path
    ) -> "subprocess.Popen[bytes]":
        """Start a process that writes to ``log``.

        The kernel may have been told to end it with its parent, and means the thread: so it is this one, which stays.
        """

        async def start() -> "subprocess.Popen[bytes]":
            with log.open("ab") as sink:
                return subprocess.Popen(  # noqa: ASYNC220  # started, not awaited
                    words,
                    env=env,
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,  # Ctrl-C is for the test, which then ends this in good order
                    stdout=sink,
                    stderr=sink,
                )

        return self._call(start())

    def publish(self, publication: Publication) -> None:
        """Publish; returns once the broker has acknowledged it."""

        async def send() -> None:
            await self._line.send(publication)
            await self._line.drained()

        self._call(send())

    def simulate(self, only: Collection[str] | None, seed: int, faults: Sequence[Fault | str]) -> None:
        """Let devices of the site live from now on, in real time.

        Raises:
            SimulationError: a device or a fault is not there.
        """
        plan = self._plan
        asked = [one for one in faults if isinstance(one, Fault)]
        asked += fault_orders([one for one in faults if isinstance(one, str)], plan)
        fleet = Fleet(plan, seed=seed, start=_now(), faults=asked, only=only)
        self._fleets.append(fleet)
        self._live_on(fleet, None)

    def play(self, file: Path, title: str) -> None:
        """Let the devices of a scenario file send what it says, from now on, in real time.

        Raises:
            SimulationError: no title has ``title`` in it, or the site has not its devices.
            SiteError: the file is wrong.
        """
        found = story(str(file))
        chosen = [one for one in found.scenarios if title.casefold() in one.title.casefold()]
        if not chosen:
            raise SimulationError(unknown("scenario", title, (one.title for one in found.scenarios)))
        told = found._replace(scenarios=chosen)
        begin = _now()
        self._live_on(Telling(told, start=begin, plan=self._plan), begin + told.length)

    def inject(self, device: str, kind: FaultKind, duration: Millis) -> None:
        """Start a fault of a simulated device now, for ``duration`` milliseconds.

        Raises:
            SimulationError: the device is not simulated or does not take this fault.
        """

        async def start() -> None:
            for fleet in self._fleets:
                if device in fleet.devices:
                    fleet.inject(device, kind, duration)
                    return
            raise SimulationError(f"{device!r} cannot be given a fault: it is not simulated")

        self._call(start())

    def trouble(self) -> BaseException | None:
        """Why the devices have stopped, where they have."""
        ended = (task for task in self._acting if task.done() and not task.cancelled())
        return next((error for task in ended if (error := task.exception()) is not None), None)

    def close(self) -> None:
        """End devices, connections and broker. May be called again."""
        if self._thread.is_alive() and self._began.done() and self._began.exception() is None:
            with contextlib.suppress(RuntimeError):  # the loop has just ended by itself
                self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(PATIENCE)

    def _call(self, work: Awaitable[T]) -> T:
        async def done() -> T:
            async with asyncio.timeout(PATIENCE):
                return await work

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result()

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as error:  # noqa: BLE001  # whoever waits for the stage is told, in the test's own thread
            if not self._began.done():
                self._began.set_exception(error)

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ending = asyncio.Event()
        async with self._running_broker() as url:
            self._line = Line(Address.parse(url), f"fgw-test-{self._plan.site}")
            sending = asyncio.create_task(self._line.run(), name="test line")
            try:
                await self._connected(url)
                self._began.set_result(url)
                await self._ending.wait()
            finally:
                tasks = [sending, *self._acting]
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, url: str) -> None:
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await self._line.connected()
        except TimeoutError:
            raise SimulationError(f"no broker accepts a connection at {url}") from None

    @contextlib.asynccontextmanager
    async def _running_broker(self) -> AsyncIterator[str]:
        if "://" in self._broker:
            yield self._broker
            return
        async with broker(self._broker) as url:
            yield url

    def _live_on(self, living: Living, end: Millis | None) -> None:
        async def begin() -> None:
            self._acting.append(asyncio.create_task(self._act(living, end), name="simulated devices"))

        self._call(begin())

    async def _act(self, living: Living, end: Millis | None) -> None:
        async with publisher(self.url, self._plan) as line:
            await play(living, line, end=end)


def _now() -> Millis:
    return time.time_ns() // 1_000_000
