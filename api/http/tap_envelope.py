"""The body of an upload, read as far as needed: what it says of all its taps, and each tap still as it came.

A tap is looked at by itself later, so that one that makes no sense holds up no other. How much may be in a body is
found out before anything is made of it: two bytes of JSON become a hundred in memory.
"""

import re
from collections.abc import Sequence
from typing import Annotated

import msgspec

from api.http.device_clocks import device_time
from api.http.problems import Problem, wrong
from gateway.codecs.scan import Fault
from gateway.core.plan import SitePlan
from gateway.core.values import Millis

UPLOAD_MOST = 32 << 20
"""Bytes of an upload."""
TAPS_MOST = 100_000
"""Taps of one upload."""
ITEM_MOST = 16 << 10
"""Bytes of one of them."""
VALUES_MOST = 30 * TAPS_MOST
"""Lists, objects and values in a body, at a generous estimate."""

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
"""An escape of JSON; half a character, a surrogate by itself, is its group."""
_PLACE = re.compile(r"(.*?)(?: - at `\$\.?(.*)`)?", re.DOTALL)
_WORDS_MOST = 300


class Envelope(msgspec.Struct, forbid_unknown_fields=True):
    """What a phone uploads."""

    device: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{1,64}\\Z")]
    """The phone's own id, always the same."""
    taps: list[msgspec.Raw]
    """Oldest first. None at all is a report that the phone holds none."""
    sent: int | float | str | None = None
    """What its clock shows now."""
    queued: Annotated[int, msgspec.Meta(ge=0, le=10**9)] | None = None
    """How many taps it still holds after these."""

    @property
    def sent_at(self) -> Millis | None:
        """The same in milliseconds. Raises :class:`Problem`."""
        if self.sent is None:
            return None
        try:
            return device_time(self.sent)
        except ValueError as error:
            raise wrong("body.sent", f"sent: {error}") from None


_decode = msgspec.json.Decoder(Envelope).decode


def read_envelope(body: bytes) -> Envelope:
    """The envelope of an upload; its taps unread. Raises :class:`Problem`."""
    if sum(body.count(mark) for mark in (b",", b"[", b"{")) > VALUES_MOST:
        raise Problem(413, _too_many("more values than those can have"))
    try:
        found = _decoded(body)
    except msgspec.ValidationError as error:
        raise _misfit(str(error)) from None
    except RecursionError:
        raise Problem(400, "the body cannot be read: it is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(400, f"the body is not JSON: {str(error)[:_WORDS_MOST]}") from None
    if len(found.taps) > TAPS_MOST:
        raise Problem(413, _too_many(f"{len(found.taps)} taps"))
    return found


def _decoded(body: bytes) -> Envelope:
    """The envelope. A phone that cut a text within a character sends half of it, which must not cost the other taps."""
    try:
        return _decode(body)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        whole = _ESCAPE.sub(lambda found: rb"\ufffd" if found[1] else found[0], body)
        if whole == body:
            raise
        return _decode(whole)


def check_device(envelope: Envelope, plan: SitePlan) -> None:
    """A phone does not speak for what the site knows. Raises :class:`Problem`."""
    if envelope.device in plan.devices:
        words = f"{envelope.device} is a device of the site; a phone has an id of its own"
        raise wrong("body.device", words)


def read_items(raws: Sequence[msgspec.Raw]) -> list[object]:
    """Taps as they were parsed; a :class:`Fault` where one is no JSON."""
    return [_item(raw) for raw in raws]


def _item(raw: msgspec.Raw) -> object:
    size = len(memoryview(raw))
    if size > ITEM_MOST:
        return Fault("too_large", f"a tap of {size} bytes; {ITEM_MOST} are allowed")
    try:
        found: object = msgspec.json.decode(raw)
    except RecursionError:
        return Fault("too_deep", "the tap is nested too deeply")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Fault("not_json", f"the tap is not JSON: {str(error)[:_WORDS_MOST]}")
    return found


def _too_many(found: str) -> str:
    return f"found {found}; one upload has at most {TAPS_MOST} taps: send them in several"


def _misfit(words: str) -> Problem:
    match = _PLACE.fullmatch(words)
    said, place = (words, "") if match is None else match.groups(default="")
    field = f"body.{place}" if place else "body"
    return wrong(field[:_WORDS_MOST], f"{field}: {said}"[:_WORDS_MOST])
