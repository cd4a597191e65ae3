"""Every rule of patrol is told by a story, and every story of patrol says which rule it tells."""

from pathlib import Path
from typing import Any, Final

import yaml

RULES: Final[dict[int | str, str]] = {
    1: "a route is an ordered list of checkpoints: strict, any or random order",
    2: "a round is one due instance, of its shift date, with an outcome for each checkpoint",
    3: "coverage beside rounds is judged by the largest gap, last tap to now included",
    4: "legs have a least and a most time, and many points in seconds are a fraud",
    5: "what is not synced is provisional, what is uploaded late is looked at, what is unknown is not kept",
    6: "a make-up is approved and never on time, a voluntary round changes no other",
    7: "a patrol of two is two different guards close together",
    8: "one hand with two phones is flagged",
    9: "a call for help and a silent guard are heard and cannot be muted",
    10: "who comes on duty confirms what is open; who goes stays until then",
    11: "tags are mapped by time and written in one form",
    "taps": "whose phone it was, and by whom the tap is said to be",
    "idempotent": "three uploads are one tap",
    "clock": "the time of a device is a claim: marked, never refused",
    "grades": "how strong the evidence is",
    "forged": "what proves nothing is kept with its reason",
    "replay": "counter and time of a tag agree, across all devices",
    "epoch": "a tag that is written anew counts from one again",
    "torn": "a torn tag says so",
}
"""The rules of patrol by their number, and what is to be said of taps."""
LINES_MOST = 300


def told() -> list[tuple[str, str, list[Any]]]:
    """File, title and rules of every story of patrol."""
    found = []
    for path in sorted(Path(__file__).parent.glob("patrol_*.yaml")):
        for story in yaml.safe_load(path.read_text("utf-8"))["stories"]:
            given = story.get("rule", [])
            found.append((path.stem, story["story"], given if isinstance(given, list) else [given]))
    return found


def test_every_rule_of_patrol_is_told_by_a_story() -> None:
    assert {rule for _, _, rules in told() for rule in rules} == set(RULES)


def test_every_story_of_patrol_says_which_rule_it_tells() -> None:
    assert [f"{file}: {title}" for file, title, rules in told() if not rules] == []


def test_no_two_stories_of_patrol_have_one_title() -> None:
    titles = [title for _, title, _ in told()]
    assert sorted(titles) == sorted(set(titles))


def test_a_file_of_stories_can_be_read_in_one_go() -> None:
    lengths = {
        path.name: len(path.read_text("utf-8").splitlines())
        for path in Path(__file__).parent.glob("patrol_*.yaml")
    }
    assert {name: length for name, length in lengths.items() if length > LINES_MOST} == {}
