"""Taps in the journal: a replay has no keys, so what an address proved goes with it."""

from collections.abc import Callable, Sequence

import msgspec
import pytest
import zstandard

from gateway import jobs
from gateway.adapters.sql import journal
from gateway.codecs.decoder import Decoder
from gateway.core.inputs import Fact, Rejection, Tap, Telemetry
from gateway.core.plan import SitePlan
from gateway.core.values import Message, Millis, Seal
from gateway.turn import Turn
from tests.core.stories import PLANS

AT = 1_790_000_000_000
GOOD = Seal(verdict="good", uid="04DE5F1EACC040", counter=61, epoch=2, tamper="closed")
BAD = Seal(verdict="forged", words="the signature is wrong")
MESSAGE = Message("facility/mill/d1/tap", b"[]")


def a_tap(name: str, url: str | None = None, seal: Seal | None = None) -> Tap:
    return Tap(at=AT, id=name, source="d1", ts=AT - 5, url=url, seal=seal, tag=None if url else "04A2")


class Reading(Decoder):
    """A decoder that finds given facts in whatever it gets."""

    def __init__(self, *facts: Fact) -> None:
        super().__init__(PLANS[0])
        self._facts = facts

    def decode(self, message: Message, at: Millis) -> Sequence[Fact]:  # noqa: ARG002 - what it finds is given
        return self._facts


def taken(decoder: Decoder) -> list[journal.Entry]:
    """What the loop journals of a message as it comes in."""
    turn = Turn(AT)
    turn.decode(MESSAGE, decoder)
    return turn.entries


def taken_again(decoder: Decoder) -> list[journal.Entry]:
    """What it journals of one that was refused before."""
    return list(jobs.take_again([MESSAGE], [])(AT, decoder).entries)


def read_back(entries: Sequence[journal.Entry]) -> list[tuple[Millis, Message | journal.Recorded]]:
    return list(journal.unpack(journal.pack(entries), no_plan))


def no_plan(digest: str) -> SitePlan:
    raise LookupError(digest)


def test_a_tap_from_a_phone_is_read_back_with_every_field() -> None:
    whole = Tap(
        at=AT,
        id="9f1c",
        source="phone-1",
        ts=AT - 9,
        tag="04A2",
        url="https://gateway/t?picc=EF&cmac=94",
        seal=GOOD,
        code="K7",
        how="qr",
        guard="g-07",
        sent=AT - 1,
        before=AT - 99,
        queued=3,
        by="g-07",
        retained=True,
        ask="r-1",
    )
    assert None not in msgspec.structs.asdict(whole).values()
    inputs = [whole, a_tap("bare")]
    assert read_back([journal.entry(one) for one in inputs]) == [(AT, one) for one in inputs]


@pytest.mark.parametrize("way", [taken, taken_again])
def test_a_message_is_journalled_with_what_the_addresses_in_it_proved(
    way: Callable[[Decoder], list[journal.Entry]],
) -> None:
    refused = Rejection(AT, "d1", MESSAGE.topic, "bad_id", "", b"")
    decoder = Reading(a_tap("1", "u1", GOOD), a_tap("2"), refused, a_tap("3", "u2", BAD), a_tap("4", "u3"))
    sealed = msgspec.structs.replace(MESSAGE, seals={"u1": GOOD, "u2": BAD})
    assert read_back(way(decoder)) == [(AT, sealed)]


@pytest.mark.parametrize("way", [taken, taken_again])
@pytest.mark.parametrize("fact", [a_tap("1"), Telemetry(AT, "d1", AT, {"temp": 1.0})])
def test_any_other_message_is_journalled_as_it_came(
    way: Callable[[Decoder], list[journal.Entry]], fact: Fact
) -> None:
    assert read_back(way(Reading(fact))) == [(AT, MESSAGE)]


def test_a_journal_from_before_seals_is_read() -> None:
    old = [(AT, "message", ["facility/mill/d1/tap", b"{}", False, None]), (AT, "tick", None)]
    block = zstandard.ZstdCompressor().compress(msgspec.msgpack.encode(old))
    (first, _) = journal.unpack(block, no_plan)
    assert first == (AT, Message("facility/mill/d1/tap", b"{}"))
