"""Alert quality over HTTP and in /metrics."""

import re
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from api.http.local_time import LocalTime
from api.http.quality_views import WORDS
from gateway.adapters.sql import records
from gateway.adapters.sql.quality import mark
from gateway.core.effects import Effects, Outcome
from gateway.core.state import Scalars, State
from gateway.core.values import DAY, HOUR, MINUTE, Millis
from tests.api.house import LIFT, MOVING_OPEN, SAFE, House

OTHER_LIFT = "t1-lift-2"


async def quality(house: House, **query: str | int) -> dict[str, Any]:
    answer = await house.http.get("/alert-quality", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def figures(found: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one for one in found["figures"]}


async def metrics(house: House) -> dict[str, float]:
    text = (await house.http.get("http://localhost/metrics")).text
    return {name: float(value) for name, value in re.findall(r"^(fgw_alert\S+) (\S+)$", text, re.MULTILINE)}


async def outcomes(house: House) -> list[Outcome]:
    found = await house.gateway.store.read(lambda connection: records.outcomes(connection, 0, 10_000))
    return [one.outcome for one in found]


async def test_the_figures_of_a_run_are_those_of_its_history(house: House) -> None:
    alert = await house.alert()
    await house.alert(OTHER_LIFT)
    await house.http.post(f"/alerts/{alert['id']}/ack", headers={"X-Actor": "li"})
    await house.say(LIFT, SAFE)
    await house.http.post(f"/alerts/{alert['id']}/reset", headers={"X-Actor": "li"})
    found, log = await quality(house, by="operator"), await outcomes(house)
    announced = [one for one in log if one.detail.get("announced") is True]
    assert {one.device for one in announced} == {LIFT, OTHER_LIFT}
    named = figures(found)
    assert list(named) == list(WORDS)
    assert named["rate_mean"]["count"] == len(announced) == named["rate_peak"]["value"]
    (acked,) = [one for one in log if one.kind == "alert.acknowledged"]
    assert named["acknowledge_time"]["value"] == acked.detail["after"] / 1000
    assert named["acknowledge_time"]["count"] == 1
    assert (named["acknowledge_time"]["target"], named["acknowledge_time"]["verdict"]) == (None, None)
    (cleared,) = [one for one in log if one.kind == "alert.cleared"]
    assert named["clear_time"]["value"] == cleared.detail["after"] / 1000
    (group,) = found["groups"]
    assert (group["id"], group["acknowledged"], group["reset"], group["announced"]) == ("li", 1, 1, None)
    assert group["acknowledge_seconds"] == acked.detail["after"] / 1000


async def test_groups_carry_titles_and_add_up(house: House) -> None:
    await house.alert()
    await house.alert(OTHER_LIFT)
    expected = {
        "rule": {"elevator/moving_door_open": "开门走车"},
        "level": {"critical": "紧急"},
        "device": {LIFT: "北梯", OTHER_LIFT: "南梯"},
        "building": {"t1": "一号楼"},
    }
    for by, titles in expected.items():
        found = await quality(house, by=by)
        assert {one["id"]: one["title"]["zh"] for one in found["groups"]} == titles
        assert sum(one["announced"] for one in found["groups"]) == 2
        assert sum(one["share"] for one in found["groups"]) == pytest.approx(1)
    assert [(one["kind"], one["rule"], one["announced"]) for one in found["top_rules"]] == [
        ("elevator", "moving_door_open", 2)
    ]
    assert {one["device"]: one["announced"] for one in found["top_sources"]} == {LIFT: 1, OTHER_LIFT: 1}
    assert [(one["level"], one["announced"]) for one in found["mix"]] == [
        ("critical", 2),
        ("warning", 0),
        ("info", 0),
    ]
    assert figures(found)["priority_mix"]["verdict"] == "over"
    assert figures(found)["priority_mix"]["verdict_title"] == {"en": "over", "zh": "超标"}


async def test_time_before_the_gateway_is_no_data_and_not_quiet(house: House) -> None:
    found = await quality(house, start="2020-01-01T00:00:00Z", end="2020-02-01T00:00:00Z")
    assert (found["observed_seconds"], found["unobserved_seconds"]) == (0, 31 * 86_400)
    for name, one in figures(found).items():
        assert one["value"] is None, name
        assert one["verdict"] in (None, "no_data"), name
    assert len(found["days"]) == 32  # a month of UTC touches 32 days of Shanghai
    assert {one["rate"] for one in found["days"]} == {None}


async def test_a_quiet_time_that_was_observed_is_good(house: House) -> None:
    named = figures(await quality(house))
    assert (named["rate_mean"]["value"], named["rate_mean"]["verdict"]) == (0, "good")
    assert (named["flood_share"]["value"], named["flood_share"]["verdict"]) == (0, "good")
    assert (named["top_rules_share"]["value"], named["top_rules_share"]["verdict"]) == (None, "no_data")


async def test_floods_spells_and_gaps_are_cut_to_the_period(house: House) -> None:
    begin = LocalTime("Asia/Shanghai").midnight(date(2026, 3, 2))
    log = [
        Outcome(begin, "gateway.observing", detail={"since": 0, "until": begin}),
        *[_announced(begin + 9 * HOUR + number * 1_000, number) for number in range(15)],
        *[_announced(begin + 9 * HOUR + 11 * MINUTE, number) for number in range(12)],
        Outcome(begin + 10 * HOUR, "alert.shelved", LIFT, None, "motor_overheat", None, "li"),
        Outcome(begin + 12 * HOUR, "alert.chattering", LIFT, "a", "door_fault", "warning"),
        Outcome(begin + 13 * HOUR, "alert.calm", LIFT, "a", "door_fault", "warning", detail={"hidden": 9}),
        Outcome(begin + 14 * HOUR, "alert.stale", LIFT, "b", "door_fault", "info"),
        Outcome(begin + 20 * HOUR, "gateway.unobserved", detail={"since": begin + 18 * HOUR}),
        Outcome(begin + 21 * HOUR, "gateway.observing", detail={"until": begin + 21 * HOUR}),
        Outcome(begin + 30 * HOUR, "alert.unshelved", LIFT, None, "motor_overheat", None, "li"),
    ]
    await _relate(house, log, begin)
    found = await quality(house, start=begin, end=begin + DAY)
    assert (found["observed_seconds"], found["unobserved_seconds"]) == (21 * 3600, 3 * 3600)
    (flood,) = found["floods"]
    assert (flood["start"], flood["end"]) == (
        "2026-03-02T09:00:00.000+08:00",
        "2026-03-02T09:20:00.000+08:00",
    )
    assert (flood["announced"], flood["peak"]) == (27, 15)
    named = figures(found)
    assert named["flood_share"]["value"] == 20 / (21 * 60)
    assert named["flood_share"]["verdict"] == "over"
    assert named["rate_mean"]["value"] == pytest.approx(27 / (21 * 6))
    assert named["rate_peak"]["value"] == 15
    assert named["shelved_time"]["value"] == 14 * 3600
    assert (named["chattering"]["value"], named["chattering"]["verdict"]) == (1, "over")
    assert (named["stale_now"]["value"], named["stale_worst_day"]["value"]) == (1, 1)
    assert [one["rule"] for one in found["shelved"]] == ["motor_overheat"]
    assert [one["rule"] for one in found["stale"]] == ["door_fault"]
    assert found["shelved"][0]["ended"] == "2026-03-03T06:00:00.000+08:00"
    (day,) = found["days"]
    assert (day["day"], day["announced"], day["observed_seconds"]) == ("2026-03-02", 27, 21 * 3600)
    by_rule = {
        one["id"]: one for one in (await quality(house, start=begin, end=begin + DAY, by="rule"))["groups"]
    }
    assert by_rule["elevator/motor_overheat"]["shelved_seconds"] == 14 * 3600
    assert by_rule["elevator/door_fault"]["hidden"] == 9


def _announced(at: Millis, number: int) -> Outcome:
    return Outcome(at, "alert.raised", LIFT, f"al-{number}", "door_fault", "info", detail={"announced": True})


async def _relate(house: House, log: list[Outcome], since: Millis) -> None:
    """Put a history of another time on record, as the loop would have."""
    effects = Effects()
    effects.outcomes.extend(log)
    recorder = house.gateway.store.recorder

    def work(connection: sa.Connection) -> None:
        recorder.write(connection, [], effects, State(Scalars(now=since)))
        connection.execute(sa.update(mark).values(since=since))

    await house.gateway.store.write(work)


async def test_without_a_period_it_is_the_last_seven_days_of_the_site(house: House) -> None:
    found = await quality(house)
    start = datetime.fromisoformat(found["start"])
    today = datetime.now(UTC).astimezone(ZoneInfo("Asia/Shanghai")).date()
    assert (start.hour, start.minute, start.utcoffset()) == (0, 0, ZoneInfo("Asia/Shanghai").utcoffset(start))
    assert (today - start.date()).days in (5, 6)  # midnight may have just passed
    assert len(found["days"]) in (7, 8)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"start": 2_000, "end": 1_000}, "start is before end"),
        ({"start": 0, "end": 401 * DAY}, "at most 400 days"),
        ({"by": "team"}, "rule"),
        ({"until": 5}, "until"),
    ],
)
async def test_a_period_that_makes_no_sense_is_refused(
    house: House, query: dict[str, Any], words: str
) -> None:
    answer = await house.http.get("/alert-quality", params=query)
    assert answer.status_code == 422
    assert words in answer.text


async def test_metrics_follow_the_live_alerts(house: House) -> None:
    before = await metrics(house)
    assert before['fgw_alerts{level="critical",state="unacknowledged"}'] == 0
    assert before["fgw_alerts_oldest_unacknowledged_seconds"] == 0
    alert = await house.alert()
    raised = await metrics(house)
    assert raised['fgw_alerts{level="critical",state="unacknowledged"}'] == 1
    assert raised['fgw_alerts_announced_total{level="critical",rule="moving_door_open"}'] == 1
    assert 0 <= raised["fgw_alerts_oldest_unacknowledged_seconds"] < 60
    await house.http.post(f"/alerts/{alert['id']}/ack")
    seen = await metrics(house)
    assert seen['fgw_alerts{level="critical",state="unacknowledged"}'] == 0
    assert seen['fgw_alerts{level="critical",state="acknowledged"}'] == 1
    assert seen["fgw_alerts_oldest_unacknowledged_seconds"] == 0
    assert [seen[f'fgw_alerts_suppressed{{how="{how}"}}'] for how in ("shelved", "out_of_service")] == [0, 0]
    await house.say(OTHER_LIFT, MOVING_OPEN)
    after = await metrics(house)
    assert after['fgw_alerts_announced_total{level="critical",rule="moving_door_open"}'] == 2


async def test_a_reload_keeps_the_figures_of_a_device_that_is_gone(house: House) -> None:
    await house.alert(OTHER_LIFT)
    lines = house.site.read_text("utf-8").splitlines(keepends=True)
    house.site.write_text("".join(line for line in lines if f"id: {OTHER_LIFT}" not in line), "utf-8")
    await house.gateway.reload()
    found = await quality(house, by="device")
    assert [(one["id"], one["title"]["en"], one["announced"]) for one in found["groups"]] == [
        (OTHER_LIFT, OTHER_LIFT, 1)
    ]
    assert found["top_rules"][0]["kind"] is None
    assert (await metrics(house))['fgw_alerts{level="critical",state="unacknowledged"}'] == 0
