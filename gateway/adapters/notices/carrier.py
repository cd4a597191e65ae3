"""One address and the way to it. The library apprise speaks to e-mail, web hooks and chat services.

An address holds secrets: it is shown to nobody, and what the library says of a failure is cleaned of it.
"""

import asyncio
import contextlib
import logging
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Final, TypeVar
from urllib.parse import unquote, urlsplit

import apprise

from gateway.adapters.notices.wording import Message
from gateway.core.values import Level
from gateway.errors import SettingsError

T = TypeVar("T")

PATIENCE: Final = 30.0
"""Seconds a try may take; what comes later counts as failed, though it may still arrive."""
WORDS: Final = 200
"""Characters kept of what a server said."""
SHORTEST_SECRET: Final = 3
KINDS: Final = {
    Level.INFO: apprise.NotifyType.INFO,
    Level.WARNING: apprise.NotifyType.WARNING,
    Level.CRITICAL: apprise.NotifyType.FAILURE,
}
TALKATIVE: Final = ("apprise", "urllib3", "requests_oauthlib")
"""Loggers that would write addresses into ours."""


class AppriseCarrier:
    """An address of apprise.

    Args:
        url: such as ``mailto://user:password@host?to=…``, ``json://host/path`` or ``slack://…``.
        patience: seconds a try may take.

    Raises:
        SettingsError: apprise cannot use it; the text does not repeat it.
    """

    def __init__(self, url: str, *, patience: float = PATIENCE) -> None:
        self.scheme = re.split(r"[^a-z0-9+]", url.lower(), maxsplit=1)[0][:16]
        self._secrets, self._patience = sorted(_secrets(url), key=len, reverse=True), patience
        self._busy: asyncio.Future[str | None] | None = None
        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.CRITICAL if name != "apprise" else logging.WARNING)
        logging.getLogger("apprise").propagate = False  # what it says comes back with its result
        asset = apprise.AppriseAsset(
            app_id="facility-gateway",
            app_desc="facility-gateway",
            async_mode=False,
            pgp_autogen=False,
            pem_autogen=False,
        )
        with warnings.catch_warnings():  # services it loads on the way may use what Python is about to drop
            warnings.simplefilter("ignore", DeprecationWarning)
            plugin = apprise.Apprise.instantiate(url, asset=asset)
        if plugin is None:
            raise SettingsError(f"an address that begins with {self.scheme}:// is none that apprise can use")
        self._apprise = apprise.Apprise(asset=asset)
        self._apprise.add(plugin)

    async def carry(self, message: Message) -> str | None:
        """One try, in a thread of its own, so that a server that does not answer holds up nobody else."""
        if self._busy is not None and not self._busy.done():
            await asyncio.wait({self._busy})  # a thread cannot be ended; there is never a second one
        self._busy = _in_thread(lambda: self._send(message))
        done, _ = await asyncio.wait({self._busy}, timeout=self._patience)
        if not done:
            return f"no answer within {self._patience:g} s"
        return self._busy.result()

    def _send(self, message: Message) -> str | None:
        try:
            result = self._apprise.notify(
                body=message.body,
                title=message.title,
                notify_type=KINDS[message.level],
                body_format=apprise.NotifyFormat.TEXT,
            )
        except Exception as fault:  # noqa: BLE001 - a plugin's fault must not end the courier
            return self.clean(repr(fault))
        if result:
            return None
        said = [entry.message for one in result for entry in one.logs()]
        return self.clean(said[-1] if said else "it was not accepted")

    def clean(self, words: str) -> str:
        """The words without anything of the address."""
        for secret in self._secrets:
            words = words.replace(secret, "…")
        return " ".join(words.split())[:WORDS]


def _secrets(url: str) -> Iterator[str]:
    """Everything in an address that could be one: itself, its host and user, each part of its path and its values."""
    parts = urlsplit(url)
    pieces = [url, parts.netloc, parts.path, parts.query, *re.split(r"[@:/?&=,;+]+", url.partition("://")[2])]
    for piece in pieces:
        for form in {piece, unquote(piece)}:
            if len(form) >= SHORTEST_SECRET:
                yield form


def _in_thread(work: Callable[[], T]) -> "asyncio.Future[T]":
    """Run it in a daemon thread, which holds up neither the loop nor the end of the process."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def finish(result: T) -> None:
        if not future.done():
            future.set_result(result)

    def run() -> None:
        result = work()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(finish, result)

    threading.Thread(target=run, name="notice", daemon=True).start()
    return future
