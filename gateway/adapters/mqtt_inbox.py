"""What came from the broker and waits to be taken: messages and link changes in order, with what acknowledges them."""

import asyncio
from typing import Final

from gateway.core.values import Message
from gateway.ports import Link

MALFORMED_TOPIC: Final = "$malformed"
"""Topic of a message whose payload is a PUBLISH packet that could not be read. No device can publish to it."""

MOST_MESSAGES: Final = 20_000
MOST_BYTES: Final = 64 << 20
BATCH_BYTES: Final = 4 << 20
"""Taken at once: decoded, lists of small readings need fifty times as much memory."""
NO_RECEIPT: Final = 0
"""Nothing to acknowledge: QoS 0, or a link change."""
VOID: Final = -1
"""A message of a former connection, never acknowledged: the broker sends it again if it kept the session."""


class Inbox:
    """A list of items and, beside it, one of receipts: for a message to be acknowledged a positive number.

    The connection appends to both lists directly, as this is the hottest path of the program, and calls :meth:`post`
    once per read.

    Args:
        most_messages: with more items waiting, reading pauses.
        most_bytes: with more bytes waiting, reading pauses.
    """

    def __init__(self, most_messages: int = MOST_MESSAGES, most_bytes: int = MOST_BYTES) -> None:
        self.items: list[Message | Link] = []
        self.receipts: list[int] = []
        self.received = 0
        self.malformed = 0
        self.openings = 0
        """Connections that the broker accepted."""
        self.epoch = 0
        """Changes whenever a connection comes or goes; a receipt is worth something within its epoch only."""
        self.link: Link | None = None
        """The last link change that was put in."""
        self._bytes = 0
        self._most_messages, self._most_bytes = most_messages, most_bytes
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    @property
    def crowded(self) -> bool:
        """Too much is waiting: stop reading until half of it was taken."""
        return not self._room.is_set()

    def open(self) -> None:
        """A connection was accepted.

        What waits from the one before stays, though a broker that kept the session sends it once more: Mosquitto says
        that it did even when a crash made it forget what was under way.
        """
        self.openings += 1
        self.epoch += 1

    def close(self, reason: str) -> None:
        """The connection is gone, or none came about. What waits stays, but can no longer be acknowledged."""
        self.epoch += 1
        self.receipts = [VOID if receipt else NO_RECEIPT for receipt in self.receipts]
        self.say(Link(up=False, reason=reason))

    def post(self, messages: int, size: int) -> None:
        """So many messages were appended, of ``size`` bytes in all: wake whoever waits for them."""
        if self.link is None or not self.link.up:
            self.link = Link(up=True)
            first = len(self.items) - messages
            self.items.insert(first, self.link)
            self.receipts.insert(first, NO_RECEIPT)
        self.received += messages
        self._bytes += size
        self._filled.set()
        if len(self.items) > self._most_messages or self._bytes > self._most_bytes:
            self._room.clear()

    def say(self, link: Link) -> None:
        """Put in a link change; the same one twice in a row is one."""
        if link != self.link:
            self.link = link
            self.items.append(link)
            self.receipts.append(NO_RECEIPT)
            self._filled.set()

    def take(self, limit: int) -> tuple[list[Message | Link], list[int]]:
        """The oldest ``limit`` items and their receipts; fewer when they are large."""
        if self._bytes > BATCH_BYTES:
            limit = min(limit, self._fitting())
        if len(self.items) <= limit:
            taken = self.items, self.receipts
            self.items, self.receipts, self._bytes = [], [], 0
            self._filled.clear()
        else:
            taken = self.items[:limit], self.receipts[:limit]
            del self.items[:limit], self.receipts[:limit]
            # Packet headers go on counting as waiting until all was taken, which errs on the safe side.
            self._bytes -= sum(len(item.payload) for item in taken[0] if isinstance(item, Message))
        if (
            self.crowded
            and len(self.items) <= self._most_messages // 2
            and self._bytes <= self._most_bytes // 2
        ):
            self._room.set()
        return taken

    def _fitting(self) -> int:
        """How many of the oldest items a batch has room for; one at least."""
        size = 0
        for number, item in enumerate(self.items):
            size += len(item.payload) if isinstance(item, Message) else 0
            if size > BATCH_BYTES:
                return max(1, number)
        return len(self.items)

    def clear(self) -> None:
        """Drop everything that waits, and say the last link change again, as nobody may have kept it."""
        self.items, self.receipts, self._bytes = [], [], 0
        self._filled.clear()
        self._room.set()
        link, self.link = self.link, None
        if link is not None:
            self.say(link)

    async def filled(self) -> None:
        """Return once something waits."""
        await self._filled.wait()

    async def room(self) -> None:
        """Return once there is room for more."""
        await self._room.wait()
