"""One run of a backtest: a stage, and everything it comes to."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from gateway.backtest.commands import Fate, Meeting, Register, as_seen
from gateway.backtest.episodes import Episode, Episodes
from gateway.backtest.quality import Quality, QualityCount
from gateway.backtest.tallies import Opened, Tallies
from gateway.core.effects import Effects
from gateway.core.inputs import Command, Tick
from gateway.core.plan import SitePlan
from gateway.core.quality_figures import Period
from gateway.core.state import State
from gateway.core.values import Millis
from gateway.replay import Stage
from gateway.traffic.lines import Line


class Side(NamedTuple):
    """What one of the two sites makes of the recorded lines."""

    plan: SitePlan
    episodes: list[Episode]
    """In order of time, the warm-up included."""
    quality: Quality
    opened: list[Opened]
    breaches: Counter[tuple[str, str]]
    """By template and clock."""
    notices: list[int]
    """By shift."""
    targets: Counter[str]
    rounds: Counter[tuple[str, str]]
    """By route and result."""
    taps: Counter[str]
    """By grade, ``not_counted`` and flag."""
    rejections: Counter[str]
    """By reason, of what came in the window."""
    commands: Counter[Fate]
    messages: int
    """Judged, the warm-up included."""


class Course:
    """A run that goes on.

    Args:
        plan: the site.
        register: what ids stand for; shared by both runs.
        window: what is judged.
        shifts: those of the window.
    """

    def __init__(self, plan: SitePlan, register: Register, window: Period, shifts: Sequence[Period]) -> None:
        self.stage = Stage(plan)
        self.window = window
        self.since: Millis | None = None
        """When devices were seen for the first time."""
        self._plan = plan
        self._meeting = Meeting(register)
        self._episodes, self._quality = Episodes(), QualityCount(window.start)
        self._tallies = Tallies(window, shifts)
        self._commands: Counter[Fate] = Counter()
        self._rejections: Counter[str] = Counter()

    @property
    def state(self) -> State:
        """What its engine remembers."""
        return self.stage.engine.state

    def take(self, lines: Sequence[Line]) -> None:
        """Lines without commands, in order."""
        done = 0
        while self.since is None and done < len(lines):  # one by one, to know the moment
            self._step(lines[done : done + 1])
            self.since = self.state.scalars.seen_since or None
            done += 1
        self._step(lines[done:] if done else lines)

    def _step(self, lines: Sequence[Line]) -> None:
        for effects in self.stage.take(lines):
            self._note(effects)

    def meet(self, command: Command) -> Command | None:
        """What this run makes of a command; None where there is nobody it could be meant for."""
        met = self._meeting.meet(self.state, command)
        self._commands[met.fate] += 1
        return met.command

    def _note(self, effects: Effects) -> None:
        outcomes = effects.outcomes
        if outcomes:
            self._meeting.learn(outcomes)
            self._episodes.take(outcomes)
            self._quality.take(outcomes)
        self._tallies.take(effects)
        for one in effects.rejections:
            if one.at >= self.window.start:
                self._rejections[one.reason] += 1

    def side(self) -> Side:
        """All it has come to."""
        tallies = self._tallies
        return Side(
            plan=self._plan,
            episodes=self._episodes.all(),
            quality=self._quality.quality(self.since),
            opened=tallies.opened,
            breaches=tallies.breaches,
            notices=tallies.notices,
            targets=tallies.targets,
            rounds=tallies.rounds(),
            taps=tallies.taps(),
            rejections=self._rejections,
            commands=self._commands,
            messages=self.stage.messages,
        )


class Courses:
    """The two runs, fed with the same lines.

    Args:
        now: of the site now.
        candidate: of the candidate.
    """

    def __init__(self, now: Course, candidate: Course) -> None:
        self.now, self.candidate = now, candidate

    def take(self, lines: Sequence[Line]) -> None:
        """Some lines, in order."""
        begin = 0
        for place, line in enumerate(lines):
            if isinstance(line.input, Command):
                self._plain(lines[begin:place])
                self._command(line, line.input)
                begin = place + 1
        self._plain(lines[begin:] if begin else lines)

    def _plain(self, lines: Sequence[Line]) -> None:
        if lines:
            self.now.take(lines)
            self.candidate.take(lines)

    def _command(self, line: Line, command: Command) -> None:
        self._plain([line._replace(input=Tick(line.at))])  # what is due by then has happened to both
        theirs = self.now.meet(command)
        ours = self.candidate.meet(command)
        if ours is not None:
            given = as_seen(ours, theirs, self.now.state, self.candidate.state, self.candidate.stage.plan)
            self.candidate.take([line._replace(input=given)])
        if theirs is not None:
            self.now.take([line._replace(input=theirs)])
