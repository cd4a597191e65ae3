"""Scenario files as pytest sees them: a file is a collector, a scenario an item."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.rule_tests import failure_text, located, play_one, visible
from gateway import rehearsal
from gateway.errors import SiteError


class RuleTestFailed(Exception):
    """A scenario did not come as its file says; the text is for a person."""


class ScenarioFile(pytest.File):
    """One ``*.scenario.yaml``."""

    def collect(self) -> Iterator["ScenarioItem"]:
        """Its scenarios. What is wrong with the file is an error in words."""
        start = self.config.invocation_params.dir
        shown = Path(os.path.relpath(self.path, start))
        try:
            whole = rehearsal.read(self.path)
        except SiteError as error:
            words = "\n".join(visible(str(problem)) for problem in located(error.problems, start))
            raise self.CollectError(words or str(error)) from None
        for scenario in whole.scenarios:
            item: ScenarioItem = ScenarioItem.from_parent(self, name=scenario.title)
            item.tell(whole, scenario, shown)
            yield item


class ScenarioItem(pytest.Item):
    """One scenario."""

    def tell(self, whole: rehearsal.ScenarioFile, scenario: rehearsal.Scenario, shown: Path) -> None:
        """What it plays, and what its file is called in messages."""
        self._whole = whole
        self._scenario = scenario
        self._shown = shown

    def runtest(self) -> None:
        """Play it."""
        played = play_one(self._whole, self._scenario, self._shown)
        if played.failures:
            raise RuleTestFailed("\n".join(failure_text(played.title, one) for one in played.failures))

    def repr_failure(  # type: ignore[override]  # ours is text alone
        self, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> object:
        """The failures in words; a fault of ours with its traceback."""
        if isinstance(excinfo.value, RuleTestFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it stands."""
        return self.path, max(self._scenario.line - 1, 0), self._scenario.title
