"""What people did is done in the candidate's run to the records they would have had before them."""

from pathlib import Path

from gateway.backtest import Backtest
from gateway.backtest.course import Side
from gateway.backtest.source import Who
from gateway.core.engine import Engine
from gateway.core.plan import SitePlan
from gateway.replay import Stage
from gateway.traffic.lines import Line
from tests.backtest.courses import command, in_order, of_lines, plans, reading, steady
from tests.backtest.month import HOUR, MINUTE, START

ACK = START + 30 * MINUTE
END = START + 3 * HOUR


def heat() -> list[Line]:
    """Chiller 1 grows hot: past 78 after ten minutes, past 80 after twenty, critical after an hour."""
    return in_order(
        steady("ch-1", START, START + 10 * MINUTE, temp=70),
        steady("ch-1", START + 10 * MINUTE, START + 20 * MINUTE, temp=79),
        steady("ch-1", START + 20 * MINUTE, START + HOUR, temp=82),
        steady("ch-1", START + HOUR, START + 2 * HOUR, temp=95),
        steady("ch-1", START + 2 * HOUR, END, temp=70),
    )


def engine_at(plan: SitePlan, lines: list[Line], at: int) -> Engine:
    stage = Stage(plan)
    list(stage.take([line for line in lines if line.at <= at]))
    return stage.engine


def alert_at(plan: SitePlan, lines: list[Line], at: int, rule: str = "hot") -> str:
    """The id that the alert has in a run of this site."""
    return engine_at(plan, lines, at).state.devices["ch-1"].alerts[rule]


def counted(side: Side, name: str) -> int:
    return sum(one.counts.get(name, 0) for one in side.quality.sums)


def fates(result: Backtest) -> list[dict[str, int]]:
    return [dict(side.commands.items()) for side in (result.now, result.candidate)]


def test_an_acknowledgement_meets_the_alert_of_the_same_device_and_rule(tmp_path: Path) -> None:
    pair = plans(tmp_path, "chiller.temp_high=78")
    lines = [
        line for line in heat() if line.at < START + 80 * MINUTE
    ]  # nobody acknowledging, the lead is told
    name = alert_at(pair[0], lines, ACK)
    assert alert_at(pair[1], lines, ACK) != name
    result = of_lines(pair, in_order(lines, [command(ACK, "alert.ack", name)]))
    assert fates(result) == [{"as_given": 1}, {"met_another": 1}]
    assert counted(result.now, "acknowledged") == counted(result.candidate, "acknowledged") == 1
    before = of_lines(pair, lines)
    assert counted(before.candidate, "acknowledged") == 0
    assert (result.candidate.targets["lead"], before.candidate.targets["lead"]) == (0, 1)


def test_a_record_both_runs_have_is_met_as_it_is(tmp_path: Path) -> None:
    pair, lines = plans(tmp_path, "chiller.temp_critical=90"), heat()
    name = alert_at(pair[0], lines, ACK)
    result = of_lines(pair, in_order(lines, [command(ACK, "alert.ack", name)]))
    assert fates(result) == [{"as_given": 1}, {"as_given": 1}]
    assert counted(result.candidate, "acknowledged") == 1


def test_a_command_with_nobody_to_meet_is_dropped(tmp_path: Path) -> None:
    pair, lines = plans(tmp_path, "chiller.temp_high=99", "chiller.temp_critical=120"), heat()
    name = alert_at(pair[0], lines, ACK)
    result = of_lines(pair, in_order(lines, [command(ACK, "alert.ack", name)]))
    assert fates(result) == [{"as_given": 1}, {"dropped": 1}]
    assert counted(result.candidate, "acknowledged") == 0


def test_an_id_nobody_knows_is_dropped_in_both_runs_unless_it_is_on_record(tmp_path: Path) -> None:
    pair, lines = plans(tmp_path, "chiller.temp_high=78"), heat()
    given = in_order(lines, [command(ACK, "alert.ack", "al-of-another-life")])
    unknown = of_lines(pair, given)
    assert fates(unknown) == [{"dropped": 1}, {"dropped": 1}]
    known = of_lines(pair, given, {"al-of-another-life": Who("ch-1", "hot")})
    assert fates(known) == [{"met_another": 1}, {"met_another": 1}]
    assert counted(known.now, "acknowledged") == counted(known.candidate, "acknowledged") == 1


def test_the_version_a_person_saw_is_that_of_the_record_they_meet(tmp_path: Path) -> None:
    pair, lines = plans(tmp_path, "chiller.temp_high=78"), heat()
    engine = engine_at(pair[0], lines, ACK)
    alert = engine.state.alerts[engine.state.devices["ch-1"].alerts["hot"]]
    acts = [
        command(ACK, "alert.comment", alert.id, text="I am going"),
        command(ACK + 1, "alert.assign", alert.id, expect=alert.version + 1, assignee="ann"),
        command(ACK + 2, "alert.assign", alert.id, expect=alert.version, assignee="bob"),  # too late
    ]
    result = of_lines(pair, in_order(lines, acts))
    assert counted(result.now, "assigned") == 1
    assert counted(result.candidate, "assigned") >= 1


def test_a_version_that_was_in_time_is_in_time_where_the_record_has_another(tmp_path: Path) -> None:
    pair, lines = (
        plans(tmp_path, "chiller.temp_critical=81"),
        heat(),
    )  # it rises before, so it has more versions
    engine = engine_at(pair[0], lines, ACK)
    alert = engine.state.alerts[engine.state.devices["ch-1"].alerts["hot"]]
    in_time = command(ACK, "alert.assign", alert.id, expect=alert.version, assignee="ann")
    late = command(ACK, "alert.assign", alert.id, expect=alert.version - 1, assignee="ann")
    assert counted(of_lines(pair, in_order(lines, [in_time])).candidate, "assigned") == 1
    refused = of_lines(pair, in_order(lines, [late]))
    assert counted(refused.now, "assigned") == counted(refused.candidate, "assigned") == 0


def test_an_order_is_met_by_template_device_and_rule(tmp_path: Path) -> None:
    pair, lines = plans(tmp_path, "chiller.temp_critical=90", "chiller.temp_high=78"), heat()
    at = START + HOUR + 20 * MINUTE
    (order,) = engine_at(pair[0], lines, at).state.orders
    (other,) = engine_at(pair[1], lines, at).state.orders
    assert order != other
    late = [reading(START + 5 * HOUR, "ch-1", temp=70)]  # accepted within two hours, or not
    silent = of_lines(pair, in_order(lines, late))
    assert silent.now.breaches == silent.candidate.breaches == {("repair", "accept"): 1}
    moved = [
        command(at, "work_order.move", order, to="triaged"),
        command(at + 1, "work_order.assign", order, team="house"),
        command(at + 2, "work_order.move", order, to="accepted"),
    ]
    result = of_lines(pair, in_order(lines, moved, late))
    assert fates(result) == [{"as_given": 3}, {"met_another": 3}]
    assert result.now.breaches == result.candidate.breaches == {}


def test_what_is_done_to_devices_is_done_in_both_runs(tmp_path: Path) -> None:
    pair, lines = plans(tmp_path, "chiller.temp_high=78"), heat()
    shelve = command(START + 5 * MINUTE, "device.shelve", "ch-1", rule="hot", why="known", until=END)
    result = of_lines(pair, in_order(lines, [shelve]))
    for side in (result.now, result.candidate):
        (hot,) = [one for one in side.episodes if one.rule == "hot"]
        assert (hot.suppressed, hot.announced_at) == ("shelved", None)
    assert fates(result) == [{"as_given": 1}, {"as_given": 1}]


def test_a_parameter_tuned_at_run_time_stands_over_what_is_set(tmp_path: Path) -> None:
    pair, lines = plans(tmp_path, "chiller.temp_high=78", "chiller.high_for=1m"), heat()
    tune = command(START + MINUTE, "device.tune", "ch-1", params={"temp_high": 81})
    result = of_lines(pair, in_order(lines, [tune]))
    assert result.tuned == 1
    begins = [next(one.raised_at for one in side.episodes) for side in (result.now, result.candidate)]
    assert begins == [
        START + 23 * MINUTE,
        START + 21 * MINUTE,
    ]  # the limit is tuned, the wait is the candidate's
