"""Traffic files: what is written comes back, and what is broken costs only itself."""

import gzip
import io
import json
import resource
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.inputs import LinkUp
from gateway.core.values import Message
from gateway.errors import Problem, TrafficError
from gateway.traffic import Line, TrafficReader, TrafficWriter
from gateway.traffic import reader as reading
from tests.traffic.samples import START, lines

CI = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst")


def write(path: Path, some: list[Line]) -> Path:
    with TrafficWriter.open(path) as file:
        for line in some:
            file.write(line.at, line.input, line.qos)
    return path


def read(path: Path) -> tuple[list[Line], list[Problem]]:
    problems: list[Problem] = []
    reader = TrafficReader(path, problems.append)
    found = list(reader)
    assert reader.faults == len(problems)
    return found, problems


def text(path: Path, *rows: str | bytes | dict[str, object]) -> Path:
    """A file of lines as they are."""
    written = [json.dumps(row) if isinstance(row, dict) else row for row in rows]
    path.write_bytes(b"\n".join(row.encode() if isinstance(row, str) else row for row in written))
    return path


def good(number: int = 0, **more: object) -> dict[str, object]:
    return {"at": START + number, "topic": "a/b", "payload": "x", "qos": 1, "retain": False, **more}


@CI
@given(lines(), st.sampled_from(SUFFIXES))
def test_every_input_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, some: list[Line], suffix: str
) -> None:
    path = write(tmp_path_factory.mktemp("traffic") / f"a{suffix}", some)
    assert read(path) == (some, [])


@CI
@given(lines(), st.sampled_from(SUFFIXES))
def test_the_same_lines_are_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, some: list[Line], suffix: str
) -> None:
    folder = tmp_path_factory.mktemp("traffic")
    one, other = write(folder / f"one{suffix}", some), write(folder / f"other{suffix}", some)
    assert one.read_bytes() == other.read_bytes()


@CI
@given(lines(), st.sampled_from(SUFFIXES), st.data())
def test_a_file_that_is_cut_off_is_read_up_to_there_and_says_so(
    tmp_path_factory: pytest.TempPathFactory, some: list[Line], suffix: str, data: st.DataObject
) -> None:
    path = write(tmp_path_factory.mktemp("traffic") / f"a{suffix}", some)
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(1, len(whole) - 2))])
    found, problems = read(path)
    assert found == some[: len(found)]
    at_the_end_of_a_line = suffix == ".jsonl" and whole.startswith(path.read_bytes() + b"\n")
    if not path.read_bytes().endswith(b"\n") and not at_the_end_of_a_line:
        assert [problem.file for problem in problems] == [str(path)]
        assert problems[0].line == len(found) + 1


@CI
@given(lines(), st.sampled_from(SUFFIXES), st.data())
def test_damage_anywhere_is_never_an_exception(
    tmp_path_factory: pytest.TempPathFactory, some: list[Line], suffix: str, data: st.DataObject
) -> None:
    path = write(tmp_path_factory.mktemp("traffic") / f"a{suffix}", some)
    whole = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(whole)
    found, problems = read(path)
    assert found == some or problems or suffix == ".jsonl"
    assert [line.at for line in found] == sorted(line.at for line in found)


BROKEN: list[tuple[str | bytes | dict[str, object], str]] = [
    ("not json", "JSON is malformed"),
    ("[1, 2]", "Expected `object`, got `array`"),
    ({"topic": "a", "payload": "x"}, "missing required field `at`"),
    (good(at="now"), "Expected `int`, got `str` - at `$.at`"),
    (good(at=-1), "Expected `int` >= 0"),
    (good(at=10**15), "Expected `int` <= 253402300799999"),
    (good(at=1.5), "Expected `int`, got `float`"),
    ({"at": START, "payload": "x"}, 'expected "topic" and "payload", or "input"'),
    ({"at": START, "topic": "a"}, 'expected "topic" and "payload", or "input"'),
    (good(qos=3), "Expected `int` <= 2"),
    (good(payload=7), "Expected `str | object | null`, got `int`"),
    (good(payload={"base64": "%%"}), "the payload is not base64"),
    (good(payload={"hex": "00"}), "Object contains unknown field `hex`"),
    (good(retained=True), "Object contains unknown field `retained`"),
    (good(input="up"), '"input" stands beside "topic" or "payload"'),
    ({"at": START, "input": "sideways"}, "unknown input 'sideways' (allowed: command, configured, lost,"),
    ({"at": START, "input": "started"}, "'started' needs a \"body\""),
    ({"at": START, "input": "started", "body": START + 1}, f"a moment up to {START} is expected, or null"),
    ({"at": START, "input": "started", "body": "x"}, "the body of 'started': Expected `int | null`"),
    (
        {"at": START, "input": "refused", "body": {"device": 1}},
        "the body of 'refused': Expected `str | null`",
    ),
    (
        {
            "at": START,
            "input": "command",
            "body": {"at": 1, "id": "", "actor": "", "verb": "", "target": "", "args": {}},
        },
        f"the body of 'command' says at 1, the line {START}",
    ),
    (b'{"at":1,"topic":"\xff","payload":""}', "not UTF-8: byte 0xff"),
    ('{"at":1,"input":"tick","body":' + "[" * 100_000, "nested too deeply"),
    (good(-1), f"at {START - 1} lies before the line before it; expected {START} or later"),
]


@pytest.mark.parametrize(("row", "words"), BROKEN, ids=lambda value: str(value)[:40])
def test_a_broken_line_is_told_with_its_number_and_costs_only_itself(
    tmp_path: Path, row: str | bytes | dict[str, object], words: str
) -> None:
    path = text(tmp_path / "a.jsonl", good(), row, good(1))
    found, problems = read(path)
    assert [line.number for line in found] == [1, 3]
    assert [(problem.file, problem.line) for problem in problems] == [(str(path), 2)]
    assert words in problems[0].message


def test_empty_lines_and_a_byte_order_mark_do_no_harm(tmp_path: Path) -> None:
    rows = json.dumps(good()), "", "  ", json.dumps(good(1))
    path = text(tmp_path / "a.jsonl", b"\xef\xbb\xbf" + rows[0].encode(), *rows[1:])
    found, problems = read(path)
    assert ([line.number for line in found], problems) == ([1, 4], [])


def test_a_line_without_end_is_told_of_and_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LINE_MOST", 1 << 20)
    path = text(tmp_path / "a.jsonl", good(), b"x" * (3 << 20), good(1))
    found, problems = read(path)
    assert [line.number for line in found] == [1, 3]
    assert problems == [Problem(str(path), 2, "", "a line of more than 1 MiB")]


def test_compression_is_told_by_the_content_and_not_by_the_name(tmp_path: Path) -> None:
    row = json.dumps(good()).encode() + b"\n"
    for name, body in (("a.jsonl", gzip.compress(row)), ("b.gz", zstandard.compress(row)), ("c.zst", row)):
        (tmp_path / name).write_bytes(body)
        found, problems = read(tmp_path / name)
        assert (len(found), problems) == (1, [])


def test_joined_files_are_read_one_after_the_other(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        one = write(tmp_path / f"one{suffix}", [Line(1, START, Message("a", b"1"))])
        other = write(tmp_path / f"other{suffix}", [Line(1, START + 1, Message("a", b"2"))])
        both = tmp_path / f"both{suffix}"
        both.write_bytes(one.read_bytes() + other.read_bytes())
        found, problems = read(both)
        assert ([line.at for line in found], problems) == ([START, START + 1], [])


def test_the_standard_input_is_a_file_too(monkeypatch: pytest.MonkeyPatch) -> None:
    body = io.BytesIO(gzip.compress(json.dumps(good()).encode()))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(body))
    assert len(read(Path("-"))[0]) == 1


def test_what_follows_another_file_must_not_lie_before_its_end(tmp_path: Path) -> None:
    path = text(tmp_path / "b.jsonl", good(), good(10))
    reader = TrafficReader(path, after=START + 5)
    assert [line.at for line in reader] == [START + 10]
    assert reader.faults == 1


def test_a_message_is_written_with_all_that_other_programs_look_for(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl", [Line(1, START, Message("a/b", b"\xff")), Line(2, START, LinkUp(START))]
    )
    first, second = map(json.loads, path.read_text().splitlines())
    assert first == {"at": START, "topic": "a/b", "payload": {"base64": "/w=="}, "qos": 1, "retain": False}
    assert second == {"at": START, "input": "up"}


def test_the_writer_refuses_a_time_that_goes_back(tmp_path: Path) -> None:
    with TrafficWriter.open(tmp_path / "a.jsonl") as file:
        file.message(START, "a", b"")
        with pytest.raises(ValueError, match="in order of time"):
            file.message(START - 1, "a", b"")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_has_its_name_only_when_it_is_whole(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    file = TrafficWriter.open(path)
    file.message(START, "a", b"1")
    file.flush()
    assert read(tmp_path / f"a{suffix}.part")[0] == [Line(1, START, Message("a", b"1"))]
    file.close(complete=False)
    assert not path.exists()
    assert len(read(tmp_path / f"a{suffix}.part")[0]) == 1


def test_a_full_disk_is_said_and_leaves_what_was_written(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, before[1]))
    try:
        with pytest.raises(TrafficError, match=r"a\.jsonl cannot be written: File too large"):
            write(tmp_path / "a.jsonl", [Line(0, START, Message("a/topic", b"a payload"))] * 20_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(read(tmp_path / "a.jsonl.part")[0]) > 1_000


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_disk_that_is_full_at_the_very_end_is_said_in_words(tmp_path: Path, suffix: str) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(TrafficError, match=r"cannot be written: File too large"):
            write(tmp_path / f"a{suffix}", [Line(0, START, Message("a/topic", b"a payload"))])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (tmp_path / f"a{suffix}").exists()


def test_a_file_takes_the_place_of_what_a_link_leads_to(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "a.jsonl").symlink_to("there/b.jsonl")
    lines = [Line(1, START, Message("a", b"1"))]
    for _ in range(2):
        write(tmp_path / "a.jsonl", lines)
        assert read(tmp_path / "there" / "b.jsonl")[0] == lines
    assert (tmp_path / "a.jsonl").is_symlink()


@pytest.mark.parametrize(("path", "what"), [("/dev/null", "no ordinary file"), ("/", "a folder")])
def test_what_is_no_file_is_left_alone(path: str, what: str) -> None:
    with pytest.raises(TrafficError, match=f"{path} is {what}; the name of a file is needed"):
        TrafficWriter.open(Path(path))


def write_back(file: TrafficWriter) -> None:
    for at in (START, START - 1):
        file.message(at, "a", b"1" * 100)


def test_what_goes_wrong_first_is_told_and_not_what_follows_from_it(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with (
            pytest.raises(ValueError, match="in order of time"),
            TrafficWriter.open(tmp_path / "a.jsonl") as file,
        ):
            write_back(file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("name", ["none.jsonl", "."])
def test_a_file_that_is_not_there_is_an_error_in_words(tmp_path: Path, name: str) -> None:
    with pytest.raises(TrafficError, match=r"there is no such file|is a folder"):
        read(tmp_path / name)
