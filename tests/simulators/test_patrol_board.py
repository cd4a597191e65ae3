"""What the demo's screen says of its guards."""

import pytest
from rich.console import Console

from api.cli.patrol_board import PatrolBoard
from api.cli.staging import PHONES
from api.cli.words import Language
from gateway.core.effects import Outcome
from gateway.core.plan import SitePlan
from gateway.core.values import MINUTE, SECOND, Millis
from simulators.guard_phone import GuardPhone
from tests.simulators.gatehouse import Gatehouse, tag_wall
from tests.simulators.listening import START

BEGIN = START - START % MINUTE + 30 * SECOND


@pytest.fixture(scope="module")
def outcomes(riverside: SitePlan) -> list[Outcome]:
    wall = tag_wall(riverside)
    guards = [
        GuardPhone(riverside, route, wall, phone=phone, guard=guard, habits=habits, seed=7, start=BEGIN)
        for route, phone, guard, habits in PHONES
    ]
    return Gatehouse(riverside, BEGIN).live(150 * SECOND, *guards)


def screen(plan: SitePlan, language: Language, outcomes: list[Outcome], until: Millis) -> list[str]:
    """The lines on a wide screen so long after the start."""
    board = PatrolBoard(plan, language)
    for outcome in outcomes:
        if outcome.at <= BEGIN + until:
            board.follow(outcome)
    console = Console(width=400, file=None)
    with console.capture() as capture:
        console.print(board.draw())
    return capture.get().splitlines()


def test_what_may_still_be_uploaded_is_not_called_missed(
    riverside: SitePlan, outcomes: list[Outcome]
) -> None:
    lines = screen(riverside, "en", outcomes, 97 * SECOND)
    assert lines[0] == "Patrol"
    assert "incomplete 1 · unknown 1 · stops missed 1" in lines[1]
    assert "3 missed" in next(line for line in lines if "Docks and fire control rooms: unknown" in line)


def test_a_late_upload_completes_the_round_and_what_is_missed_stays(
    riverside: SitePlan, outcomes: list[Outcome]
) -> None:
    lines = screen(riverside, "en", outcomes, 118 * SECOND)
    assert "complete 1 · incomplete 1 · stops missed 1" in lines[1]
    assert "3 uploaded late" in next(line for line in lines if line.startswith("last round: "))
    short = next(line for line in lines if line.startswith("not complete: "))
    assert "Lobbies and back doors: incomplete (3 on time, 1 missed" in short


def test_it_says_the_same_in_chinese(riverside: SitePlan, outcomes: list[Outcome]) -> None:
    lines = screen(riverside, "zh", outcomes, 118 * SECOND)
    assert lines[0] == "巡更"
    assert "完成 1 · 未完成 1 · 漏检点 1" in lines[1]
    assert "安全标签一分钟内(A)" in lines[2]
    doubtful = next(line for line in lines if line.startswith("可疑打卡: "))
    assert "吴强" in doubtful
    assert "疑似重放" in doubtful
