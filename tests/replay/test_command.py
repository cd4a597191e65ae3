"""``fgw replay`` on a file: outcomes, what was expected of them, what could not be read, and how it ends."""

import json
from pathlib import Path

import pytest

from gateway.core.inputs import LinkUp, Started, Tick
from gateway.core.values import DAY
from gateway.replay import read_outcomes
from gateway.traffic import Line, Setup
from tests.api.commands import call
from tests.replay.presses import START, bundle, reading, story, write_site, write_story


def test_the_outcomes_are_written_and_counted(tmp_path: Path) -> None:
    site, traffic = write_site(tmp_path), write_story(tmp_path / "story.jsonl.zst")
    said = call("replay", traffic, "--site", site, "--out", tmp_path / "out.jsonl", "--json")
    found = list(read_outcomes(tmp_path / "out.jsonl"))
    answer = json.loads(said.out)
    assert said.status == 0, said.err
    assert (answer["partial"], answer["outcomes"]["alert.raised"]) == (False, 3)
    assert sum(answer["outcomes"].values()) == len(found)


def test_what_was_expected_is_compared_line_for_line(tmp_path: Path) -> None:
    site, traffic = write_site(tmp_path), write_story(tmp_path / "story.jsonl")
    out = tmp_path / "out.jsonl"
    assert call("replay", traffic, "--site", site, "--out", out).status == 0
    same = call("replay", traffic, "--site", site, "--expect", out)
    assert same.status == 0
    assert f"as expected: {len(list(read_outcomes(out)))} outcomes are the same, line for line\n" in same.err
    lenient = call("replay", traffic, "--site", write_site(tmp_path / "new", hot=88), "--expect", out)
    assert lenient.status == 1
    assert "- 2026-09-21 22:21:40.000 alert.raised_again p1 hot/warning" in lenient.err
    assert "times of Asia/Shanghai" in lenient.err


def test_a_partial_result_says_so_everywhere(tmp_path: Path) -> None:
    site, traffic = write_site(tmp_path), write_story(tmp_path / "story.jsonl")
    rows = traffic.read_bytes().splitlines()
    traffic.write_bytes(b"\n".join([*rows[:10], b'{"at": 5', *rows[10:20], rows[20][:30]]))
    said = call("replay", traffic, "--site", site, "--out", tmp_path / "out.jsonl")
    *_, last = read_outcomes(tmp_path / "out.jsonl")
    assert said.status == 1
    assert f"fgw replay: {traffic}:11: Input data was truncated; found" in said.err
    assert f"{traffic}:22: Input data was truncated" in said.err
    assert "PARTIAL: 2 lines or files could not be read to their end" in said.err
    assert (last.kind, last.detail["faults"], len(last.detail["problems"])) == ("replay.partial", 2, 2)


def test_a_file_of_broken_lines_does_not_flood_the_terminal(tmp_path: Path) -> None:
    site, traffic = write_site(tmp_path), tmp_path / "bad.jsonl"
    write_story(traffic, [reading(START, "p1", 20.0)])
    traffic.write_bytes(traffic.read_bytes() + b"x\n" * 500)
    said = call("replay", traffic, "--site", site)
    assert (said.status, len(said.err.splitlines())) == (1, 23)
    assert "further lines that cannot be read are only counted" in said.err


def test_several_files_are_one_recording(tmp_path: Path) -> None:
    site, lines = write_site(tmp_path), story()
    one = write_story(tmp_path / "one.jsonl.gz", lines[:100])
    other = write_story(tmp_path / "other.jsonl.zst", lines[100:])
    whole = write_story(tmp_path / "whole.jsonl")
    digests = [
        json.loads(call("replay", *files, "--site", site, "--json").out)["sha256"]
        for files in ((one, other), (whole,))
    ]
    assert digests[0] == digests[1]
    assert call("replay", other, one, "--site", site).status == 1


def test_the_file_may_come_from_a_pipe_and_time_may_go_on_after_it(tmp_path: Path) -> None:
    site, traffic = write_site(tmp_path), write_story(tmp_path / "story.jsonl.gz")
    said = call("replay", "-", "--site", site, "--settle", "1h", "--json", stdin=traffic.read_bytes())
    assert json.loads(said.out)["outcomes"]["alert.raised"] == 4


def test_a_file_can_be_judged_by_the_sites_it_carries(tmp_path: Path) -> None:
    one = bundle()
    lines = [Line(0, START, Setup(START, one.digest, one.encode())), *story()]
    traffic = write_story(tmp_path / "story.jsonl", lines)
    said = call("replay", traffic, "--as-recorded", "--json")
    assert (said.status, json.loads(said.out)["outcomes"]["alert.raised"]) == (0, 3)


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["{story}"], 2, "give one of --site, --as-recorded and --to"),
        (["{story}", "--site", "{site}", "--as-recorded"], 2, "not --site and --as-recorded"),
        (["{story}", "--as-recorded"], 1, "does not begin with a site; judge it by one with --site"),
        (["{story}", "{story}", "--site", "{site}"], 2, "story.jsonl is given twice"),
        (["{story}", "{link}", "--site", "{site}"], 2, "link.jsonl is given twice, first as"),
        (
            ["{story}", "--site", "{site}", "--out", "{story}"],
            2,
            "story.jsonl is read, and would be written over",
        ),
        (
            ["{story}", "--site", "{site}", "--out", "{link}"],
            2,
            "link.jsonl is read, and would be written over",
        ),
        (
            ["-", "--site", "{site}", "--expect", "{site}", "--out", "{site}"],
            2,
            "is read, and would be written over",
        ),
        (["{story}", "--site", "{site}", "--speed", "5"], 2, "--speed: goes with --to only"),
        (["{story}", "--site", "{site}", "--shift", "now"], 2, "--shift: goes with --to only"),
        (
            ["{story}", "--to", "mqtt://nowhere.invalid", "--out", "o", "--settle", "1h"],
            2,
            "--out --settle: says what",
        ),
        (
            ["{story}", "--site", "{site}", "--out", "o.jsonl.zst"],
            1,
            "o.jsonl.zst: outcomes are written as plain text",
        ),
        (["{story}", "--site", "{site}", "--out", "/dev/null"], 1, "/dev/null is no ordinary file"),
        (
            ["{story}", "--site", "{site}", "--out", "{folder}"],
            1,
            "is a folder; the name of a file is needed",
        ),
        (["{story}", "--site", "none.yaml"], 1, "there is no such file"),
        (["none.jsonl", "--site", "{site}"], 1, "none.jsonl: there is no such file"),
        (["{story}", "--site", "{site}", "--settle", "soon"], 2, "'soon' is no duration"),
        (["{story}", "--site", "{site}", "--settle", "99999999999"], 2, "it ends after the year 2099"),
        (["{story}", "--site", "{site}", "--expect", "{story}"], 1, "story.jsonl:1: no outcome of a replay"),
        (["{story}", "--site", "{site}", "--out", "/proc/none/out"], 1, "/proc/none/out cannot be written"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_wrong_call_is_told_in_words(tmp_path: Path, arguments: list[str], status: int, words: str) -> None:
    places = {
        "story": write_story(tmp_path / "story.jsonl"),
        "site": write_site(tmp_path),
        "folder": tmp_path,
        "link": tmp_path / "link.jsonl",
    }
    places["link"].symlink_to(places["story"])
    said = call("replay", *[one.format(**places) for one in arguments])
    assert said.status == status, said
    assert words in " ".join(said.err.replace("│", " ").split())


def test_what_was_before_a_file_that_begins_in_the_middle_is_said_to_be_unknown(tmp_path: Path) -> None:
    one, site = bundle(), write_site(tmp_path)
    for last, whole in ((None, True), (START - 1, False)):
        lines = [Line(0, START, Started(START, last)), Line(0, START, Setup(START, one.digest, one.encode()))]
        traffic = write_story(tmp_path / "story.jsonl", [*lines, *story()])
        for way in (["--as-recorded"], ["--site", site]):
            said = call("replay", traffic, *way)
            assert (said.status, "what was known before its first line" in said.err) == (0, not whole)
            assert json.loads(call("replay", traffic, *way, "--json").out)["from_the_start"] is whole


def test_a_file_that_names_its_site_only_later_is_not_judged_by_it_from_the_beginning(tmp_path: Path) -> None:
    one = bundle()
    lines = [*story()[:20]]
    late = Line(0, lines[-1].at, Setup(lines[-1].at, one.digest, one.encode()))
    said = call("replay", write_story(tmp_path / "a.jsonl", [*lines, late, *story()[20:]]), "--as-recorded")
    assert (said.status, "does not begin with a site" in said.err) == (1, True)
    begun = [Line(0, START - 1, Tick(START - 1)), Line(0, START, Setup(START, one.digest, one.encode()))]
    begun.insert(1, Line(0, START - 1, LinkUp(START - 1)))
    said = call("replay", write_story(tmp_path / "b.jsonl", [*begun, *story()]), "--as-recorded", "--json")
    assert (said.status, json.loads(said.out)["outcomes"]["alert.raised"]) == (0, 3)


def test_a_site_that_leads_is_in_force_once_as_with_any_other(tmp_path: Path) -> None:
    one, site = bundle(), write_site(tmp_path)
    lines = [Line(0, START, Setup(START, one.digest, one.encode())), *story()]
    traffic = write_story(tmp_path / "story.jsonl", lines)
    answers = [call("replay", traffic, *way, "--json").out for way in (["--as-recorded"], ["--site", site])]
    digests = {json.loads(answer)["sha256"] for answer in answers}
    bare = write_story(tmp_path / "bare.jsonl")
    digests.add(json.loads(call("replay", bare, "--site", site, "--json").out)["sha256"])
    assert len(digests) == 1


def test_no_control_character_of_a_difference_reaches_the_terminal(tmp_path: Path) -> None:
    site, traffic = write_site(tmp_path), write_story(tmp_path / "story.jsonl")
    assert call("replay", traffic, "--site", site, "--out", tmp_path / "out.jsonl").status == 0
    traffic.write_text(traffic.read_text().replace('"anna"', r'"\u001b[2Jan"'))
    said = call("replay", traffic, "--site", site, "--expect", tmp_path / "out.jsonl")
    assert (said.status, "\x1b" in said.err, r"\x1b[2Jan" in said.err) == (1, False, True)


def test_a_moment_that_cannot_be_is_told_and_not_waited_for(tmp_path: Path) -> None:
    traffic = write_story(tmp_path / "a.jsonl", [*story(), reading(4_102_444_800_000, "p1", 20.0)])
    said = call("replay", traffic, "--site", write_site(tmp_path), "--out", tmp_path / "out.jsonl")
    assert (said.status, "line 312: at 4102444800000 lies past the year 2099" in said.err) == (1, True), (
        said.err
    )
    assert not (tmp_path / "out.jsonl").exists()


def test_broken_lines_before_the_site_do_not_hide_it(tmp_path: Path) -> None:
    one = bundle()
    traffic = write_story(
        tmp_path / "story.jsonl", [Line(0, START, Setup(START, one.digest, one.encode())), *story()]
    )
    traffic.write_bytes(b"x\n" * 20_000 + traffic.read_bytes())
    said = call("replay", traffic, "--as-recorded", "--json")
    assert (said.status, json.loads(said.out)["fault_count"]) == (1, 20_000)


def test_a_line_out_of_order_is_told_with_what_was_expected(tmp_path: Path) -> None:
    site, traffic = write_site(tmp_path), tmp_path / "a.jsonl"
    later, first = (
        write_story(tmp_path / f"{at}.jsonl", [reading(at, "p1", 20.0)]) for at in (START + DAY, START)
    )
    traffic.write_bytes(later.read_bytes() + first.read_bytes())
    said = call("replay", traffic, "--site", site)
    assert said.status == 1
    words = f"a.jsonl:2: at: at {START} lies before the line before it; expected {START + DAY} or later"
    assert words in said.err
