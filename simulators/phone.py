"""A guard's phone: it reads tags and keeps taps until the gateway has taken them.

A tap stays in the queue on 408, 429, 5xx and without network, and keeps its id: three uploads are one tap. What the
gateway refuses for good is dropped and counted.
"""

import random
import uuid
from typing import NamedTuple

from gateway.core.values import SECOND, Json, Millis

BATCH = 50
"""Taps in one upload."""
FIRST_PAUSE: Millis = 2 * SECOND
LONGEST_PAUSE: Millis = 60 * SECOND
"""Between attempts to upload, doubling in between."""
TRY_AGAIN = (408, 429)
"""Statuses that say nothing about the taps themselves; nor does any from 500 on."""


class Upload(NamedTuple):
    """One request to ``/api/v1/taps``."""

    body: dict[str, Json]
    taps: int
    """How many of the oldest taps it holds; 0 where it only says that the phone is there and holds nothing back."""


class Phone:
    """The queue of one phone.

    Args:
        name: what the phone calls itself.
        guard: in whose hand it is.
        seed: the same seed gives taps the same ids.
    """

    def __init__(self, name: str, guard: str, seed: str) -> None:
        self.name = name
        self.guard = guard
        self.taken = 0
        """Taps the gateway has answered for."""
        self.refused = 0
        """Taps it refused for good."""
        self._ids = random.Random(f"{seed}:{name}:taps")
        self._queue: list[dict[str, Json]] = []
        self._report = False
        self._pause: Millis = 0
        self._again: Millis = 0

    @property
    def queued(self) -> int:
        """How many taps it holds."""
        return len(self._queue)

    def read(self, at: Millis, tag: dict[str, Json]) -> None:
        """Keep a tap: ``tag`` is the address of a secure tag (``url``) or the bare id of another (``tag``)."""
        name = str(uuid.UUID(int=self._ids.getrandbits(128), version=4))
        self._queue.append({"id": name, "ts": at, **tag, "guard": self.guard})

    def report(self) -> None:
        """Say at the next upload that the phone is there, also with nothing to upload."""
        self._report = True

    def upload(self, at: Millis) -> Upload | None:
        """What is to be sent now; None with nothing to say, or while it waits after an attempt that failed."""
        if at < self._again or not (self._queue or self._report):
            return None
        batch = self._queue[:BATCH]
        body: dict[str, Json] = {
            "device": self.name,
            "sent": at,
            "queued": len(self._queue) - len(batch),
            "taps": [*batch],
        }
        return Upload(body, len(batch))

    def answered(self, upload: Upload, status: int | None, at: Millis) -> None:
        """What became of an upload: the status of the answer, None where there was no network."""
        if status is None or status in TRY_AGAIN or status >= 500:  # noqa: PLR2004 - the server's own faults
            self._pause = min(LONGEST_PAUSE, max(FIRST_PAUSE, 2 * self._pause))
            self._again = at + self._pause
            return
        del self._queue[: upload.taps]
        self._pause, self._report = 0, False
        if status < 400:  # noqa: PLR2004 - taken
            self.taken += upload.taps
        else:
            self.refused += upload.taps
