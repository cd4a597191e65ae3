"""``fgw backtest`` as a person and a pipeline call it."""

import json
import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from api.backtest.views import BacktestView
from gateway.traffic import TrafficWriter
from tests.api.commands import Ran, fgw
from tests.backtest.month import MINUTE, ONE, PROFILE, SITE, START, month, record, write_site

SET = ("--set", "chiller.temp_high=78", "--set", "chiller.temp_critical=84")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site and a recorded day."""
    path = tmp_path_factory.mktemp("mill")
    write_site(path)
    record(path / "days.jsonl.zst", month(1, seed=1))
    return path


def run(folder: Path, *words: object, source: Path | None = None) -> Ran:
    site, traffic = folder / "site.yaml", source or folder / "days.jsonl.zst"
    return fgw("backtest", "--site", site, "--from", traffic, *words)


def answer(ran: Ran) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ran.out)
    return found


@pytest.fixture(scope="module")
def whole(folder: Path) -> dict[str, Any]:
    ran = run(folder, *SET, "--json")
    assert ran.status == 0, ran.err
    return answer(ran)


# --- what is said


def test_the_table_shows_rules_figures_with_targets_and_what_people_get(
    folder: Path, whole: dict[str, Any]
) -> None:
    ran = run(folder, *SET)
    assert ran.status == 0
    total = whole["alerts"]["total"]
    line = next(line for line in ran.out.splitlines() if line.startswith("│ all "))
    numbers = [int(cell) if cell.strip().isdigit() else 0 for cell in line.split("│")[2:-1]]
    names = ("now", "candidate", "added", "removed", "moved", "level_changed", "hushed", "voiced")
    assert numbers == [total[name] for name in names]
    assert "at most 1; manageable up to 2" in ran.out
    assert "notices in the busiest shift" in ran.out
    assert re.search(r"chiller\s+│ temp_high\s+│ 80\s+│ 78\s+│ all 3", ran.out)
    assert "What was before 2026-09-21 22:13 is unknown" in ran.out


def test_each_change_is_listed_with_its_local_time(folder: Path, whole: dict[str, Any]) -> None:
    ran = run(folder, *SET, "--list")
    changes = whole["alerts"]["changes"]
    rows = [line for line in ran.out.splitlines() if re.match(r"│ 2026-\d\d-\d\d \d\d:\d\d:\d\d │ ch-", line)]
    assert len(rows) == len(changes) > 20
    first = changes[0]["now"] or changes[0]["candidate"]
    assert rows[0].startswith(f"│ {first['raised_at'][:19].replace('T', ' ')} │ {changes[0]['device']}")


def test_the_table_speaks_chinese(folder: Path) -> None:
    ran = run(folder, *SET, "--lang", "zh")
    assert ran.status == 0
    assert "按规则统计报警" in ran.out
    assert "Alerts" not in ran.out


def test_everything_is_in_the_json_and_every_time_has_its_offset(whole: dict[str, Any]) -> None:
    assert BacktestView.model_validate(whole).model_dump(mode="json") == whole

    def times(value: object) -> list[str]:
        if isinstance(value, dict):
            return [time for one in value.values() for time in times(one)]
        if isinstance(value, list):
            return [time for one in value for time in times(one)]
        return [value] if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value) else []

    found = times(whole)
    assert len(found) > 100
    assert {datetime.fromisoformat(one).strftime("%z") for one in found} == {"+0800"}


def test_the_shape_of_the_json_does_not_change() -> None:
    shape = {
        name: sorted(model.get("properties", ()))
        for name, model in BacktestView.model_json_schema()["$defs"].items()
    }
    assert sorted(BacktestView.model_fields) == [
        "alerts",
        "begins_cold",
        "breaches",
        "budgets",
        "fault_count",
        "faults",
        "fed_from",
        "notices",
        "observed_seconds",
        "orders",
        "parameters",
        "partial",
        "passed_over",
        "quality",
        "rejections",
        "rounds",
        "sides",
        "site",
        "taps",
        "timezone",
        "tuned",
        "unobserved",
        "window",
    ]
    assert shape["AlertsView"] == ["changes", "rules", "total"]
    assert shape["ChangeView"] == ["candidate", "device", "kinds", "now", "profile", "rule", "shift_seconds"]
    assert shape["EpisodeView"] == [
        "alert",
        "announced_at",
        "level",
        "limit",
        "raised_at",
        "suppressed",
        "until",
        "value",
    ]
    assert shape["BudgetView"] == ["allowed", "found", "kept", "name", "partial"]
    assert shape["NoticesView"] == ["candidate", "now", "shifts", "targets"]
    assert shape["OrdersView"] == ["candidate", "changes", "fewer", "more", "now"]


def test_counts_of_rules_add_up_to_the_whole(whole: dict[str, Any]) -> None:
    total, rules = whole["alerts"]["total"], whole["alerts"]["rules"]
    for name, value in total.items():
        assert sum(rule[name] for rule in rules) == value
    moved = total["moved_in"] - total["moved_out"]
    assert total["now"] + total["added"] - total["removed"] + moved == total["candidate"]
    assert len(whole["alerts"]["changes"]) == len([one for one in whole["alerts"]["changes"] if one["kinds"]])
    shifts = whole["notices"]["shifts"]
    assert sum(one["candidate"] or 0 for one in shifts) == whole["notices"]["candidate"]


def test_the_answer_does_not_hang_on_the_order_of_hashes(folder: Path) -> None:
    files = ("--site", str(folder / "site.yaml"), "--from", str(folder / "days.jsonl.zst"))
    command = [sys.executable, "-m", "api.cli", "backtest", *files, *SET, "--json", "--days", "1"]
    answers = {
        subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "4711")
    }
    assert len(answers) == 1


# --- budgets


@pytest.mark.parametrize(
    ("flag", "name", "place"),
    [
        ("--max-added", "added", ("alerts", "total", "added")),
        ("--max-removed", "removed", ("alerts", "total", "removed")),
        ("--max-moved", "moved", ("alerts", "total", "moved")),
        ("--max-level-changed", "level_changed", ("alerts", "total", "level_changed")),
        ("--max-work-orders", "work_orders", ("orders", "more")),
    ],
)
def test_a_budget_of_changes_is_kept_up_to_it_and_broken_beyond(
    folder: Path, whole: dict[str, Any], flag: str, name: str, place: tuple[str, ...]
) -> None:
    found: Any = whole
    for part in place:
        found = found[part]
    assert found > 0, f"the day shows no {name}"
    kept, broken = run(folder, *SET, flag, found, "--json"), run(folder, *SET, flag, found - 1, "--json")
    assert (kept.status, broken.status) == (0, 1)
    expected = {"name": name, "found": float(found), "partial": False}
    assert answer(kept)["budgets"] == [{**expected, "allowed": float(found), "kept": True}]
    assert answer(broken)["budgets"] == [{**expected, "allowed": float(found - 1), "kept": False}]
    assert f"{flag} is broken: found {found}, allowed {found - 1}" in broken.err
    assert "broken" not in kept.err


def test_budgets_of_rates_are_of_the_candidate(folder: Path, whole: dict[str, Any]) -> None:
    announced = sum(day["announced"] for day in whole["quality"]["candidate"]["days"])
    hourly = announced / (whole["observed_seconds"] / 3600)
    busiest = max(one["candidate"] or 0 for one in whole["notices"]["shifts"])
    for flag, found in (("--max-per-hour", hourly), ("--max-notices-per-shift", busiest)):
        more = found + 1 if isinstance(found, int) else found * 1.001
        less = found - 1 if isinstance(found, int) else found * 0.999
        assert run(folder, *SET, flag, more).status == 0
        ran = run(folder, *SET, flag, less)
        assert ran.status == 1
        assert re.search(r"│\s+BROKEN │", ran.out)


def test_the_budget_of_floods_is_in_percent_of_the_observed_time(tmp_path: Path) -> None:
    devices = ", ".join(f"{{id: ch-{number}, profile: chiller}}" for number in range(1, 16))
    write_site(tmp_path, re.sub(r"devices: .*", f"devices: [{devices}]", SITE))
    lines = []
    for number in range(1, 16):
        for minute in range(0, 500, 5):
            at = START + minute * MINUTE
            flow = 19 if 100 <= minute < 150 else 25
            body = json.dumps({"ts": at, "values": {"flow": flow}})
            lines.append((at, number, body))
    traffic = tmp_path / "flood.jsonl"
    topic = "facility/mill/ch-{}/telemetry"
    traffic.write_text(
        "".join(
            json.dumps({"at": at, "topic": topic.format(number), "payload": body}) + "\n"
            for at, number, body in sorted(lines)
        )
    )
    words = ("--set", "chiller.flow_low=20.5", "--json")
    found = answer(run(tmp_path, *words, "--max-flood-share", 0.5, source=traffic))["budgets"][0]
    assert not found["kept"]
    assert found["found"] == pytest.approx(100 * 10 / 495, rel=0.01)
    kept = run(tmp_path, *words, "--max-flood-share", found["found"] + 0.01, source=traffic)
    assert kept.status == 0


# --- a partial result


def test_a_partial_result_says_so_and_keeps_no_budget_unless_that_is_allowed(folder: Path) -> None:
    whole = (folder / "days.jsonl.zst").read_bytes()
    cut = folder / "cut.jsonl.zst"
    cut.write_bytes(whole[: len(whole) // 2])
    plain = run(folder, *SET, source=cut)
    assert plain.status == 0
    assert "PARTIAL: 1 lines could not be read" in plain.out
    assert "the file is cut off" in plain.err
    ran = run(folder, *SET, "--max-added", 10_000, "--json", source=cut)
    found = answer(ran)
    assert (ran.status, found["partial"], found["fault_count"]) == (1, True, 1)
    assert found["faults"][0]["line"] > 1
    assert [(one["kept"], one["partial"]) for one in found["budgets"]] == [(False, True)]
    assert "BROKEN: the result is partial" in run(folder, *SET, "--max-added", 10_000, source=cut).out
    allowed = run(folder, *SET, "--max-added", 10_000, "--allow-partial", source=cut)
    assert allowed.status == 0
    assert run(folder, *SET, "--max-added", 0, "--allow-partial", source=cut).status == 1


def test_a_line_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    write_site(tmp_path)
    traffic = record(tmp_path / "days.jsonl", month(1, seed=1))
    lines = traffic.read_bytes().splitlines(keepends=True)
    traffic.write_bytes(b"".join([*lines[:50], b"{nonsense\n", *lines[50:]]))
    ran = run(tmp_path, *SET, "--json", source=traffic)
    (fault,) = answer(ran)["faults"]
    assert (fault["line"], fault["file"]) == (51, str(traffic))
    assert f"{traffic}:51" in ran.err


# --- what is refused


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give --candidate, --set, or both"),
        (("--set", "chillr.temp_high=78"), "did you mean 'chiller'"),
        (("--set", "hc-1.temp_high=78"), "did you mean 'ch-1'"),
        (("--set", "chiller.temp_hihg=78"), "did you mean 'temp_high'"),
        (("--set", "chiller.temp_high=warm"), "chiller.temp_high=warm: temp_high: "),
        (("--set", "chiller.temp_high=3m"), "a number such as 80 is needed"),
        (("--set", "chiller.high_for=3"), "a duration such as 3m is needed"),
        (("--set", "chiller.temp_high=nan"), "finite"),
        (("--set", "chiller.temp_high=1e999"), "finite"),
        (("--set", "chiller.temp_high=99"), "levels must rise"),
        (("--set", "temp_high=78"), "TARGET.PARAM=VALUE"),
        (("--set", "chiller.temp_high"), "TARGET.PARAM=VALUE"),
        (("--set", "=.="), "TARGET.PARAM=VALUE"),
        ((*SET, "--days", "0"), "--days"),
        ((*SET, "--warm-up", "soon"), "is no duration"),
        ((*SET, "--max-added", "-1"), "--max-added"),
        ((*SET, "--max-per-hour", "nan"), "--max-per-hour"),
        ((*SET, "--max-per-hour", "inf"), "no finite number"),
        ((*SET, "--max-flood-share", "101"), "--max-flood-share"),
        ((*SET, "--lang", "fr"), "neither en nor zh"),
        ((*SET, "--from", "."), "one data directory, or traffic files"),
    ],
)
def test_a_wrong_call_is_told_what_would_be_right(folder: Path, words: tuple[str, ...], said: str) -> None:
    ran = run(folder, *words)
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err


def test_what_cannot_be_read_or_written_ends_with_words(folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    for words, source, said in (
        (SET, tmp_path / "none.jsonl", "there is no such file"),
        (SET, tmp_path, "there are no records"),
        (SET, empty, "no line that can be read"),
        (SET, Path("-"), "not the standard input"),
        ((*SET, "--candidate", tmp_path / "none.yaml"), None, "there is no such file"),
        ((*SET, "--html", tmp_path / "no" / "page.html"), None, "cannot be written"),
    ):
        ran = run(folder, *words, source=source)
        assert (ran.status, ran.out) == (1, ""), said
        assert said in ran.err


def test_the_candidate_is_of_the_same_site(folder: Path, tmp_path: Path) -> None:
    other = write_site(tmp_path, SITE.replace("site: mill", "site: mine"))
    ran = run(folder, "--candidate", other)
    assert ran.status == 2
    assert "is of the site mine" in ran.err


def test_a_candidate_file_and_settings_go_together(folder: Path, tmp_path: Path) -> None:
    other = write_site(tmp_path, SITE.replace("flow_low: 18", "flow_low: 19"))
    ran = run(folder, "--candidate", other, "--set", "ch-3.temp_high=78", "--days", 1, "--json")
    found = [(one["param"], one["was"], one["becomes"], one["devices"]) for one in answer(ran)["parameters"]]
    assert found == [("flow_low", "18", "19", ["ch-3"]), ("temp_high", "80", "78", ["ch-3"])]


# --- the page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_one_file_that_asks_for_nothing(folder: Path, tmp_path: Path, language: str) -> None:
    file = tmp_path / "page.html"
    ran = run(folder, *SET, "--html", file, "--lang", language, "--max-added", 1)
    assert ran.status == 1
    text = file.read_text("utf-8")
    assert not re.search(r"https?://|\bsrc=|\bhref=|url\(|@import|<script", text)
    assert "default-src 'none'" in text
    assert text.count("<svg ") == 3
    assert f'lang="{"zh-Hans" if language == "zh" else "en"}"' in text
    assert ("Every change" if language == "en" else "全部变化") in text
    assert "rgb(" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    assert [one.name for one in tmp_path.iterdir()] == ["page.html"]


def test_what_a_device_says_does_not_break_out_of_the_page(tmp_path: Path) -> None:
    hostile = "</td><script>alert(1)</script>" + "x" * 100
    rule = "  label: {levels: {info: {when: {point: label, changed: true}}}}\nrules:"
    profile = PROFILE.replace("flow: {type: float}", "flow: {type: float}, label: {type: text}")
    write_site(tmp_path, ONE, profile)
    write_site(tmp_path / "new", ONE, profile.replace("rules:", f"rules:\n{rule.removesuffix('rules:')}", 1))
    said = [{"ts": START + at, "values": {"label": text}} for at, text in ((0, "calm"), (1, hostile))]
    traffic = tmp_path / "label.jsonl"
    with TrafficWriter.open(traffic) as file:
        for one in said:
            file.message(int(str(one["ts"])), "facility/mill/ch-1/telemetry", json.dumps(one).encode())
    page = tmp_path / "page.html"
    words = ("--candidate", tmp_path / "new" / "site.yaml", "--list", "--html", page)
    ran = run(tmp_path, *words, source=traffic)
    assert ran.status == 0, ran.err
    text = page.read_text("utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "<script>" in ran.out
