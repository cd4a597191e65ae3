"""Whatever a journal holds, a line of a traffic file holds the same: messages, taps, commands, starts, losses."""

from hypothesis import HealthCheck, given, settings

from gateway.adapters.sql import journal
from gateway.codecs.tag_keys import TagKeys
from gateway.core.inputs import Tap
from gateway.core.values import Message
from gateway.traffic import Setup
from gateway.traffic.lines import meaning, parse, text_of
from tests.core.patrol_stories import KEYS
from tests.core.stories import STORIES, Given, play
from tests.core.test_journal_replay import Tape, is_message, message

CI = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


def entries_of(story: list[Given], keys: TagKeys | None = KEYS) -> list[journal.Entry]:
    """The journal that a story leaves."""
    live, found = Tape(keys), []
    for one in play(story).inputs:
        found += live.take(one.at, message(one) if is_message(one, live.engine.plan) else one)
    return found


@CI
@given(STORIES)
def test_every_entry_of_a_journal_comes_back_from_a_line(story: list[Given]) -> None:
    entries = entries_of(story)
    kept = list(journal.entries(journal.pack(entries)))
    assert len(kept) == len(entries)
    for at, one in kept:
        told = Setup(at, one) if isinstance(one, str) else one
        wire = parse(text_of(at, told))
        found = meaning(wire)
        assert (wire.at, found) == (at, told)
        if isinstance(told, Message) and isinstance(found, Message):
            assert (found.seals, found.received) == (told.seals, told.received)
        if isinstance(told, Tap) and isinstance(found, Tap):
            assert found.seal == told.seal
