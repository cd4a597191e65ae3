"""A real browser for tests: Chromium without a screen, steered over its DevTools protocol."""

import asyncio
import base64
import contextlib
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import aiohttp

PATIENCE = 30.0
"""Seconds to wait for something before a test fails."""
WIDTH, HEIGHT = 390, 844
"""Of a phone."""


class Tab:
    """One tab, as large as a phone's screen."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self.requests: list[str] = []
        """Every address the page asked for."""
        self.complaints: list[str] = []
        """What the console says is wrong."""

    async def begin(self) -> Self:
        """Watch what the page asks for and complains of."""
        for domain in ("Page", "Network", "Runtime", "Log"):
            await self.send(f"{domain}.enable")
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=WIDTH, height=HEIGHT, deviceScaleFactor=2, mobile=True
        )
        return self

    async def send(self, method: str, **params: object) -> dict[str, Any]:
        """Call a method of the protocol."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        async with asyncio.timeout(PATIENCE):
            while True:
                message = json.loads(await self._socket.receive_str())
                self._note(message)
                if message.get("id") == self._number:
                    assert "error" not in message, message
                    found: dict[str, Any] = message["result"]
                    return found

    def _note(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(params["exceptionDetails"]))
            case "Log.entryAdded" if params["entry"]["source"] == "security":
                self.complaints.append(params["entry"]["text"])

    async def open(self, url: str) -> None:
        """Go to an address and wait until it is there."""
        await self.send("Page.bringToFront")
        await self.send("Page.navigate", url=url)
        await self.until(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")

    async def reload(self) -> None:
        """Load the page again."""
        await self.send("Page.bringToFront")
        await self.run("window.before = true")
        await self.send("Page.reload")
        await self.until("window.before === undefined && document.readyState === 'complete'")

    async def speak(self, language: str) -> None:
        """Choose the languages of the browser."""
        agent = await self.run("navigator.userAgent")
        await self.send("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=language)

    async def offline(self, off: bool) -> None:
        """Take the network away, or give it back."""
        await self.send(
            "Network.emulateNetworkConditions",
            offline=off,
            latency=0,
            downloadThroughput=-1,
            uploadThroughput=-1,
        )

    async def run(self, script: str) -> Any:  # noqa: ANN401 - whatever the page says
        """The value of an expression in the page."""
        found = await self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def until(self, condition: str) -> None:
        """Wait for a condition in the page."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            with contextlib.suppress(AssertionError):  # the page is being replaced
                if await self.run(condition):
                    return
            if asyncio.get_running_loop().time() > deadline:
                text = await self.run("document.body.innerText")
                raise AssertionError(f"waited in vain for {condition}\n{text}\n{self.complaints}")
            await asyncio.sleep(0.02)

    async def text(self, name: str) -> str:
        """What a person sees of an element; nothing of a hidden one."""
        found: str = await self.run(
            f"(one => one.getClientRects().length ? one.innerText.trim() : '')(document.getElementById({json.dumps(name)}))"
        )
        return found

    async def shows(self, words: str) -> None:
        """Wait until the page shows words."""
        await self.until(f"document.body.innerText.includes({json.dumps(words)})")

    async def picture(self, file: Path, *, dark: bool = False) -> None:
        """Keep what is on the screen."""
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.send("Emulation.setEmulatedMedia", features=scheme)
        found = await self.send("Page.captureScreenshot", format="png")
        await asyncio.to_thread(file.write_bytes, base64.b64decode(found["data"]))


class Browser:
    """A running browser; what it keeps it keeps until the end of the block."""

    def __init__(self, session: aiohttp.ClientSession, port: int, stack: contextlib.AsyncExitStack) -> None:
        self._session, self._port, self._stack = session, port, stack

    async def tab(self) -> Tab:
        """A new tab."""
        async with self._session.put(f"http://127.0.0.1:{self._port}/json/new?about:blank") as answer:
            target = await answer.json()
        socket = await self._stack.enter_async_context(
            self._session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0)
        )
        return await Tab(socket).begin()


@contextlib.asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """A browser with a fresh profile. Fails where there is none: its tests are not passed by leaving them out."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program is not None, "no browser: install the Debian package chromium"
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        child = await asyncio.create_subprocess_exec(
            program,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-features=Translate,OptimizationHints,MediaRouter",
            "--remote-debugging-port=0",
            "--remote-allow-origins=*",
            f"--user-data-dir={folder}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            session = await stack.enter_async_context(aiohttp.ClientSession())
            yield Browser(session, await _port(folder / "DevToolsActivePort", child), stack)
        finally:
            if child.returncode is None:
                child.terminate()
            await child.wait()


async def _port(file: Path, child: asyncio.subprocess.Process) -> int:
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        lines = await asyncio.to_thread(_lines, file)
        if len(lines) > 1:
            return int(lines[0])
        assert child.returncode is None, f"the browser ended with {child.returncode}"
        assert asyncio.get_running_loop().time() < deadline, "the browser does not start"
        await asyncio.sleep(0.02)


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []
