from pathlib import Path

import pytest

from gateway.core.inputs import LinkLost, LinkUp
from gateway.core.values import Message
from gateway.errors import TrafficError
from simulators.reel import Reel, Rotation
from tests.simulators.listening import START
from tests.simulators.taping import lines, messages


def test_files_follow_each_other_by_time_and_never_take_a_name_twice(tmp_path: Path) -> None:
    reel = Reel(tmp_path / "site.v2.jsonl", Rotation(every=500))
    reel.write(START, LinkUp(START))
    for step in range(1, 5):
        now = START + 250 * step
        reel.write(now, Message("a", b"%d" % step))
        reel.tend(now)
    reel.close()
    assert [path.name for path in reel.files] == [
        "site.v2.20260921T141320Z.jsonl",
        "site.v2.20260921T141321Z.jsonl",
    ]
    assert sorted(tmp_path.iterdir()) == reel.files
    payloads = [one.payload for path in reel.files for one, _ in messages(lines(path))]
    assert payloads == [b"1", b"2", b"3", b"4"]


def test_names_go_on_in_order_when_the_clock_is_put_back_and_the_oldest_files_are_gone(
    tmp_path: Path,
) -> None:
    reel = Reel(tmp_path / "a.jsonl", Rotation(every=500, keep=2))
    for number, moment in enumerate((START, START + 60_000, START + 5_000, START + 5_600, START + 6_200)):
        reel.write(moment, Message("a", b"%d" % number))
        reel.tend(moment + 500)
    reel.close()
    assert sorted(tmp_path.iterdir()) == reel.files
    payloads = [one.payload for path in reel.files for one, _ in messages(lines(path))]
    assert payloads == [b"3", b"4"]


def test_a_file_that_takes_over_without_a_broker_says_so(tmp_path: Path) -> None:
    reel = Reel(tmp_path / "a.jsonl", Rotation(every=1_000))
    reel.write(START, LinkUp(START))
    reel.write(START, LinkLost(START, "gone"))
    reel.tend(START + 1_000)
    reel.write(START + 2_000, Message("a", b"kept by a test only"))
    reel.close()
    _, second = reel.files
    assert lines(second)[0].input == LinkLost(START + 2_000, "gone")


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl.part"):
        (tmp_path / name).write_bytes(b"precious")
        with pytest.raises(TrafficError, match=f"{name} exists already"):
            Reel(tmp_path / name.removesuffix(".part"))
        assert (tmp_path / name).read_bytes() == b"precious"
