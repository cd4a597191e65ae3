"""What `fgw export` writes of a data directory: the journal as a traffic file, and the outcomes."""

import json
import re
import sqlite3
from pathlib import Path

import pytest

from gateway.core.inputs import Command, Started
from gateway.core.values import HOUR, MINUTE, Message
from gateway.jobs import Order, carry_out
from gateway.replay import read_outcomes
from gateway.traffic import Line, Setup, TrafficReader
from tests.api.commands import Ran, fgw
from tests.e2e.mill import write_site
from tests.e2e.tape import START, Hands, living


async def live_through(folder: Path, site: Path) -> None:
    """Two lives: a hot press in the first, a site that changed before the second, and somebody who comments."""
    hands = Hands()
    async with living(folder, site, hands, crash=True) as life:
        await life.link(up=True)
        for count in range(1, 11):
            life.tape.read("press-1", hands.wall, temp=60.0 if count < 5 else 90.0)
            await life.all_acked(count)
            await life.pass_by(MINUTE)
    hands.pass_by(HOUR)
    profile = site.parent / "press.yaml"
    profile.write_text(profile.read_text().replace("above: 80", "above: 95"))
    async with living(folder, site, hands) as life:
        await life.link(up=True)
        life.tape.read("press-1", hands.wall, temp=60.0)
        await life.all_acked(1)
        (alert, *_) = life.kept.alerts()
        await life.loop.ask(carry_out([Order("alert.comment", alert.id, {"text": "Eva"}, "eva", "c1")]))


def lines_of(path: Path) -> list[Line]:
    return list(TrafficReader(path))


def named(folder: Path, pattern: str) -> list[Path]:
    return [*folder.glob(pattern)]


def exported(what: str, folder: Path, out: Path, *more: str) -> Ran:
    done = fgw("export", what, "--data-dir", folder, "--out", out, *more)
    assert done.status == 0, done.err
    return done


@pytest.fixture
async def kept(tmp_path: Path) -> Path:
    """A data directory."""
    await live_through(tmp_path / "data", write_site(tmp_path))
    return tmp_path / "data"


async def test_a_journal_that_is_cut_begins_with_the_site_that_was_in_force(
    kept: Path, tmp_path: Path
) -> None:
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    exported("journal", kept, whole)
    exported("journal", kept, cut, "--since", "70m")
    sites = [line.input for line in lines_of(whole) if isinstance(line.input, Setup)]
    first, *rest = lines_of(cut)
    assert isinstance(first.input, Setup)
    assert (first.input.digest, first.input.bundle) == (sites[0].digest, sites[0].bundle)
    assert [line.input for line in rest] == [line.input for line in lines_of(whole)][-len(rest) :]
    assert "the journal begins at 2026-09-21T14:13:" in exported("journal", kept, whole, "--since", "30d").err
    done = fgw("replay", cut, "--as-recorded", "--json")
    assert (done.status, json.loads(done.out)["from_the_start"]) == (0, False)


async def test_a_journal_that_was_pruned_down_to_a_restart_begins_with_it_and_then_its_site(
    kept: Path, tmp_path: Path
) -> None:
    out = tmp_path / "cut.jsonl"
    exported("journal", kept, out)
    (again,) = [
        line for line in lines_of(out) if isinstance(line.input, Started) and line.input.last is not None
    ]
    connection = sqlite3.connect(kept / "facility.db")
    with connection:
        connection.execute("DELETE FROM journal WHERE last_at < ?", (again.at,))
    connection.close()
    exported("journal", kept, out)
    first, second, *_ = lines_of(out)
    assert isinstance(first.input, Started)
    assert isinstance(second.input, Setup)
    assert fgw("replay", out, "--as-recorded").status == 0


async def test_a_whole_journal_is_replayed_to_the_outcomes_that_are_exported(
    kept: Path, tmp_path: Path
) -> None:
    exported("journal", kept, tmp_path / "journal.jsonl")
    exported("outcomes", kept, tmp_path / "outcomes.jsonl")
    done = fgw("replay", tmp_path / "journal.jsonl", "--as-recorded", "--expect", tmp_path / "outcomes.jsonl")
    assert done.status == 0, done.err
    assert "middle" not in done.err


async def test_outcomes_of_a_time_are_counted_back_from_the_last_thing_on_record(
    kept: Path, tmp_path: Path
) -> None:
    exported("outcomes", kept, tmp_path / "all.jsonl")
    exported("outcomes", kept, tmp_path / "some.jsonl", "--since", "30m")
    whole, some = (list(read_outcomes(tmp_path / f"{name}.jsonl")) for name in ("all", "some"))
    assert 0 < len(some) < len(whole)
    assert some == whole[-len(some) :]
    assert some[0].at > START + 30 * MINUTE
    exported("outcomes", kept, tmp_path / "most.jsonl", "--since", "30d")
    assert list(read_outcomes(tmp_path / "most.jsonl")) == whole


async def test_a_time_of_which_there_is_nothing_is_a_wrong_call(kept: Path, tmp_path: Path) -> None:
    for what, flag, words in (
        ("journal", ("--until", "2001-01-01T00:00:00Z"), "is before the first moment there is"),
        ("journal", ("--since", "2099-01-01T00:00:00Z"), "is not before the end"),
        ("outcomes", ("--until", "3d"), "--until"),
    ):
        done = fgw("export", what, "--data-dir", kept, "--out", tmp_path / "a.jsonl", *flag)
        assert (done.status, words in " ".join(done.err.split())) == (2, True), done.err
        assert "such as 30d" not in done.err
    assert not named(tmp_path, "a.jsonl*")


async def test_the_example_in_the_help_can_be_given(kept: Path, tmp_path: Path) -> None:
    (example,) = re.findall(r"such as (\S+),", " ".join(fgw("export", "journal", "--help").out.split()))
    exported("outcomes", kept, tmp_path / "a.jsonl", "--until", example)


async def test_a_damaged_entry_is_told_in_words(kept: Path, tmp_path: Path) -> None:
    connection = sqlite3.connect(kept / "facility.db")
    with connection:
        connection.execute("UPDATE journal SET body = x'00' WHERE seq = 3")
    connection.close()
    done = fgw("export", "journal", "--data-dir", kept, "--out", tmp_path / "a.jsonl")
    assert (done.status, "entry 3 of the journal cannot be read" in done.err) == (1, True)
    assert not (tmp_path / "a.jsonl").exists()


async def test_a_masked_journal_can_be_judged_by_a_site_and_says_so_of_its_own(
    kept: Path, tmp_path: Path
) -> None:
    out = tmp_path / "masked.jsonl"
    exported("journal", kept, out, "--mask")
    (command,) = [
        line.input
        for line in lines_of(out)
        if isinstance(line.input, Command) and line.input.verb == "alert.comment"
    ]
    assert command.actor.startswith("masked-")
    done = fgw("replay", out, "--as-recorded")
    assert done.status == 1
    assert (
        "its text is not in the file, as where it was masked; judge all of it by one with --site" in done.err
    )
    done = fgw("export", "journal", "--data-dir", kept, "--out", out, "--keep-guards")
    assert (done.status, "it goes with --mask" in done.err) == (2, True)


async def test_what_is_personal_is_judged_by_the_site_of_its_moment(tmp_path: Path) -> None:
    site, hands, personal = write_site(tmp_path), Hands(), "zone: {type: text, personal: true}"
    profile = tmp_path / "press.yaml"
    plain = profile.read_text()
    for text, zone in ((plain.replace("zone: {type: text}", personal), "Eva"), (plain, "north")):
        profile.write_text(text)
        async with living(tmp_path / "data", site, hands) as life:
            await life.link(up=True)
            life.tape.put(
                Message("facility/mill/press-1/event", b'{"type":"stop","zone":"%s"}' % zone.encode())
            )
            await life.all_acked(1)
        hands.pass_by(MINUTE)
    exported("journal", tmp_path / "data", tmp_path / "a.jsonl", "--mask")
    text = (tmp_path / "a.jsonl").read_text()
    assert (text.count("Eva"), text.count("north"), text.count(r"zone\":\"masked-")) == (0, 1, 1)
