"""Every story in this folder, told plainly, with more ticks, and with the memory written out before each step."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.core.values import Millis
from tests.scenarios.timeline import Telling, from_memory, laid_over, plainly, with_ticks


def stories() -> Iterator[Any]:
    for path in sorted(Path(__file__).parent.glob("*.yaml")):
        text = yaml.safe_load(path.read_text("utf-8"))
        for story in text["stories"]:
            profile = {**text.get("profile", {}), **story.get("profile", {})}
            site = laid_over(text.get("site", {}), story.get("site", {}))
            begin = story.get("begin", text.get("begin"))
            yield pytest.param(profile, site, begin, story["steps"], id=f"{path.stem}: {story['story']}")


@pytest.mark.parametrize("tell", [plainly, with_ticks, from_memory], ids=lambda tell: tell.__name__)
@pytest.mark.parametrize(("profile", "site", "begin", "steps"), list(stories()))
def test_a_story_ends_as_it_is_told(
    profile: dict[str, Any],
    site: dict[str, Any],
    begin: str | None,
    steps: list[dict[str, Any]],
    tell: Callable[[Telling, Millis], None],
) -> None:
    for where, expected, found in Telling(profile, site, tell, begin).play(steps):
        assert (where, found) == (where, expected)
