"""What is judged, what is fed, and what is not known."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.backtest.body import Body
from gateway.backtest import TrafficSource, run_backtest
from gateway.backtest.shifts import shift_of, shifts
from gateway.core.inputs import LinkLost, LinkUp, Rejection
from gateway.core.quality_figures import Period
from gateway.errors import TrafficError
from gateway.site.zones import zone
from gateway.traffic.lines import Line, Setup
from tests.backtest.courses import Lines, in_order, of_lines, plans, reading, steady
from tests.backtest.month import DAY, HOUR, MINUTE, START, month, record

END = START + 2 * DAY


def standing() -> list[Line]:
    """Chiller 1 is hot from an hour before the last day on."""
    return in_order(
        steady("ch-1", START, END - DAY - HOUR, temp=70),
        steady("ch-1", END - DAY - HOUR, END, temp=85),
    )


def test_the_warm_up_tells_what_stood_before_the_window(tmp_path: Path) -> None:
    pair = plans(tmp_path, "chiller.temp_high=87")
    warm = run_backtest(*pair, Lines(standing()), days=1)
    assert warm.pairs == []
    assert not warm.begins_cold
    cold = run_backtest(*pair, Lines(standing()), days=1, warm_up=0)
    assert [(pair.removed, pair.either.device) for pair in cold.pairs] == [(True, "ch-1")]
    assert cold.begins_cold


def test_the_warm_up_is_as_long_as_it_is_asked_for(tmp_path: Path) -> None:
    result = run_backtest(*plans(tmp_path, "chiller.temp_high=87"), Lines(standing()), days=1, warm_up=HOUR)
    assert result.fed_from - (result.window.start - HOUR) in range(MINUTE)
    assert result.window.start % (5 * MINUTE) == 0
    assert (result.window.start, result.window.end) == (
        (END - MINUTE + 1 - DAY) // 300_000 * 300_000,
        END - MINUTE + 1,
    )


def test_an_alert_moved_over_the_edge_of_the_window_is_moved(tmp_path: Path) -> None:
    edge = (END - MINUTE + 1 - DAY) // 300_000 * 300_000
    lines = in_order(
        steady("ch-1", START, edge - 4 * MINUTE, temp=70),
        steady("ch-1", edge - 4 * MINUTE, END, temp=85),
    )
    result = run_backtest(*plans(tmp_path, "chiller.high_for=10m"), Lines(lines), days=1)
    (pair,) = result.pairs
    assert (pair.moved, pair.shift) == (True, 7 * MINUTE)
    assert pair.now is not None
    assert pair.now.raised_at < result.window.start


def test_progress_is_told_and_may_end_the_run(tmp_path: Path) -> None:
    pair, told = plans(tmp_path, "chiller.temp_high=87"), list[float]()
    traffic = record(tmp_path / "days.jsonl", month(2, seed=3))
    run_backtest(*pair, TrafficSource([traffic]), progress=told.append)
    assert told == sorted(told)
    assert (told[-1], len(told) > 3, 0 < told[0] < 1) == (1.0, True, True)

    def stop(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_backtest(*pair, TrafficSource([traffic]), progress=stop)


def test_a_recording_of_nothing_is_no_result(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n")
    pair = plans(tmp_path, "chiller.temp_high=87")
    with pytest.raises(TrafficError, match="no line that can be read"):
        run_backtest(*pair, TrafficSource([empty]))
    blind = [Line(0, START, LinkLost(START, "cut")), Line(0, END, LinkLost(END, "cut"))]
    with pytest.raises(TrafficError, match="nobody observed"):
        of_lines(pair, blind)


def test_clocks_that_were_wrong_are_found_out(tmp_path: Path) -> None:
    pair = plans(tmp_path, "chiller.temp_high=87")
    old = reading(START - 500 * DAY, "ch-1", temp=70)
    with pytest.raises(TrafficError, match=r"500 days, at most 400 are judged.*--days 30"):
        of_lines(pair, [old, *steady("ch-1", START, START + HOUR, temp=70)])
    assert (
        run_backtest(*pair, Lines([old, *steady("ch-1", START, START + HOUR, temp=70)]), days=30).pairs == []
    )
    late = 253_402_300_799_999
    with pytest.raises(TrafficError, match="after the year 2100"):
        of_lines(pair, [reading(START, "ch-1", temp=70), reading(late, "ch-1", temp=70)])


def test_a_site_that_does_not_change_changes_nothing(tmp_path: Path) -> None:
    plan, _ = plans(tmp_path)
    traffic = record(tmp_path / "days.jsonl", month(2, seed=3))
    result = run_backtest(plan, plan, TrafficSource([traffic]))
    assert len(result.pairs) > 10
    assert all(pair.same for pair in result.pairs)
    assert result.now == result.candidate
    assert result.parameters == []


def test_the_standard_input_cannot_be_read_twice() -> None:
    with pytest.raises(TrafficError, match="standard input"):
        TrafficSource([Path("-")])


def test_other_configurations_in_the_recording_are_passed_over_and_counted(tmp_path: Path) -> None:
    pair = plans(tmp_path, "chiller.temp_high=87")
    setups = [Line(0, START + HOUR, Setup(START + HOUR, digest)) for digest in (pair[0].digest, "0" * 64)]
    result = of_lines(pair, in_order(standing(), setups))
    assert result.passed_over == 1
    assert [one.removed for one in result.pairs] == [True]


def test_rates_are_of_the_time_that_was_observed(tmp_path: Path) -> None:
    lines = in_order(
        steady("ch-1", START, START + HOUR, temp=85),
        [Line(0, START + HOUR, LinkLost(START + HOUR, "cut"))],
        [Line(0, START + 9 * HOUR, LinkUp(START + 9 * HOUR))],
        steady("ch-1", START + 9 * HOUR, START + 10 * HOUR, temp=85),
    )
    result = of_lines(plans(tmp_path, "chiller.temp_high=87"), lines)
    assert [tuple(one) for one in result.unobserved[-1:]] == [(START + HOUR, START + 9 * HOUR)]
    assert result.observed_time == 2 * HOUR - MINUTE + 1
    rate = result.now.quality.rate(result.window, zone("Asia/Shanghai"))
    assert (rate.announced, rate.observed) == (1, result.observed_time)


def test_an_alert_moved_over_the_edge_is_counted_so_that_the_sums_are_right(tmp_path: Path) -> None:
    edge = (END - MINUTE + 1 - DAY) // 300_000 * 300_000
    lines = in_order(
        steady("ch-1", START, edge - 4 * MINUTE, temp=70),
        steady("ch-1", edge - 4 * MINUTE, END, temp=85),
    )
    now, later = plans(tmp_path, "chiller.high_for=10m")
    for pair, moved in (((now, later), (0, 1, 1, 0)), ((later, now), (1, 0, 0, 1))):
        total = Body(run_backtest(*pair, Lines(lines), days=1)).view().alerts.total
        assert (total.now, total.candidate, total.moved_in, total.moved_out) == moved
        assert total.moved == 1


def test_refusals_are_counted_of_both_sites(tmp_path: Path) -> None:
    refused = Rejection(START + HOUR, None, "x", "unknown_topic", "nobody claims it", b"")
    lines = in_order(standing(), [Line(0, START + HOUR, refused), reading(START + HOUR, "ch-9", temp=1)])
    result = of_lines(plans(tmp_path, "chiller.temp_high=87"), lines)
    assert result.now.rejections == result.candidate.rejections == {"unknown_topic": 1, "unknown_device": 1}


def test_shifts_are_eight_hours_but_where_the_clock_is_changed() -> None:
    berlin = zone("Europe/Berlin")

    def at(*when: int) -> int:
        return int(datetime(*when, tzinfo=UTC).timestamp() * 1000)  # type: ignore[arg-type, misc]

    window = Period(at(2026, 10, 24, 10), at(2026, 10, 25, 21))
    found = shifts(window, berlin)
    assert [(one.end - one.start) / HOUR for one in found] == [2, 8, 9, 8, 8]
    assert [shift_of(one.start, found) for one in found] == [0, 1, 2, 3, 4]
    assert [shift_of(one.end - 1, found) for one in found] == [0, 1, 2, 3, 4]
