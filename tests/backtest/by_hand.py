"""The chillers of :mod:`tests.backtest.month` judged by hand, from docs/profiles.md and docs/alerts.md: no code of the gateway.

Each limit waits for its ``for``, holds until it is past its deadband for its clear delay, and stands still while nobody
sees the device. A device is silent ten minutes after its last word; what nobody observed does not count, nor do the two
minutes after sight was regained.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from tests.backtest.month import DEVICES, MINUTE, Reading, Sight

GRACE = 2 * MINUTE
SILENT = 10 * MINUTE


class Limits(NamedTuple):
    """What a site file says of one device."""

    high: float = 80
    critical: float = 88
    low: float = 20
    high_for: int = 3 * MINUTE


class Span(NamedTuple):
    """An alert, from when it came up until it let go."""

    device: str
    rule: str
    begin: int
    end: int | None
    worst: str


class Limit:
    """One limit, and where it stands: ``idle``, ``pending``, ``up`` or ``clearing``."""

    def __init__(
        self,
        rule: str,
        level: int,
        over: Callable[[dict[str, float], bool], bool | None],
        wait: int,
        calm: int,
    ) -> None:
        self.rule, self.level, self.over, self.wait, self.calm = rule, level, over, wait, calm
        self.stands = "idle"
        self.due: int | None = None
        self.left: int | None = None

    def begin(self, stands: str, at: int, length: int) -> None:
        self.stands, self.due, self.left = stands, at + length, None

    def rest(self, stands: str) -> None:
        self.stands, self.due, self.left = stands, None, None

    def freeze(self, at: int) -> None:
        if self.due is not None and self.due > at:
            self.left, self.due = self.due - at, None

    def judge(self, values: dict[str, float], at: int) -> None:
        true = self.over(values, self.stands in ("up", "clearing"))
        if true is None:
            return
        if self.left is not None:
            self.due, self.left = at + self.left, None
        match self.stands, true:
            case "idle", True:
                self.begin("pending", at, self.wait) if self.wait else self.rest("up")
            case "pending", False:
                self.rest("idle")
            case "up", False:
                self.begin("clearing", at, self.calm) if self.calm else self.rest("idle")
            case "clearing", True:
                self.rest("up")

    def ripen(self) -> None:
        """Its time is up."""
        self.rest("up" if self.stands == "pending" else "idle")


def above(limit: float, deadband: float) -> Callable[[dict[str, float], bool], bool | None]:
    return lambda now, up: now["temp"] > limit - (deadband if up else 0) if "temp" in now else None


def below(limit: float, deadband: float) -> Callable[[dict[str, float], bool], bool | None]:
    return lambda now, up: now["flow"] < limit + (deadband if up else 0) if "flow" in now else None


class Chiller:
    """One device under its limits."""

    def __init__(self, name: str, limits: Limits, start: int) -> None:
        self.name = name
        self.values: dict[str, float] = {}
        self.newest = 0
        self.heard = self.sight = self.blind_since = start
        self.gaps: list[tuple[int, int]] = []
        self.sees, self.silent = True, False
        self.limits = [
            Limit("hot", 2, above(limits.high, 3), limits.high_for, 4 * MINUTE),
            Limit("hot", 3, above(limits.critical, 3), 2 * MINUTE, 4 * MINUTE),
            Limit("flow", 2, below(limits.low, 1), 0, 0),
        ]
        self.up: dict[str, tuple[int, int]] = {}
        self.spans: list[Span] = []

    def pass_to(self, at: int) -> None:
        """Let time pass up to and with a moment."""
        while self.sees:
            dues = [(one.due, 0, place) for place, one in enumerate(self.limits) if one.due is not None]
            if not self.silent:
                dues.append((self.silent_at(), 1, 0))
            due, what, place = min(dues, default=(at + 1, 0, 0))
            if due > at:
                return
            if what == 0:
                self.limits[place].ripen()
            else:
                self.silent = True
                for one in self.limits:
                    one.freeze(due)
            self.follow(due)

    def silent_at(self) -> int:
        unseen = sum(end - max(begin, self.heard) for begin, end in self.gaps if end > self.heard)
        return max(self.heard + SILENT + unseen, self.sight + GRACE)

    def follow(self, at: int) -> None:
        """Let alerts come and go."""
        tops: dict[str, int] = {"silent": 2} if self.silent else {}
        for one in self.limits:
            if one.stands in ("up", "clearing"):
                tops[one.rule] = max(tops.get(one.rule, 0), one.level)
        for rule, top in tops.items():
            begin, worst = self.up.get(rule, (at, top))
            self.up[rule] = begin, max(worst, top)
        for rule in [rule for rule in self.up if rule not in tops]:
            self.over(rule, at)

    def over(self, rule: str, at: int | None) -> None:
        begin, worst = self.up.pop(rule)
        self.spans.append(Span(self.name, rule, begin, at, {2: "warning", 3: "critical"}[worst]))

    def read(self, one: Reading) -> None:
        self.pass_to(one.at)
        self.heard, spoke = one.at, self.silent
        self.silent = False
        if one.ts >= self.newest:
            self.newest, self.values = one.ts, one.values
        if one.ts >= self.newest or spoke:
            for limit in self.limits:
                limit.judge(self.values, one.at)
        self.follow(one.at)

    def look(self, one: Sight) -> None:
        if one.sees:
            self.gaps.append((self.blind_since, one.at))
            self.sees, self.sight = True, one.at
            for limit in self.limits:
                limit.judge(self.values, one.at)
            self.follow(one.at)
            return
        self.blind_since = one.at if one.last is None else one.last
        self.pass_to(self.blind_since)
        self.sees = False
        for limit in self.limits:
            limit.freeze(self.blind_since)


def spans(found: Iterable[Reading | Sight], limits: dict[str, Limits]) -> list[Span]:
    """Every alert of a recording under the limits of each device."""
    things = list(found)
    chillers = {name: Chiller(name, limits[name], things[0].at) for name in DEVICES}
    for one in things:
        if isinstance(one, Reading):
            chillers[one.device].read(one)
        else:
            for chiller in chillers.values():
                chiller.look(one)
    for chiller in chillers.values():
        chiller.pass_to(things[-1].at)
        for rule in list(chiller.up):
            chiller.over(rule, None)
    return sorted(span for chiller in chillers.values() for span in chiller.spans)


def pairs(now: list[Span], new: list[Span]) -> Iterator[tuple[Span | None, Span | None]]:
    """Which belong together: those of one moment, then of those that stood together the nearest first."""
    for source in sorted({span[:2] for span in [*now, *new]}):
        yield from _of_one(*([span for span in some if span[:2] == source] for some in (now, new)))


def _of_one(left: list[Span], right: list[Span]) -> Iterator[tuple[Span | None, Span | None]]:
    met = [(abs(a.begin - b.begin), a.begin, b.begin, a, b) for a in left for b in right if together(a, b)]
    for *_, a, b in sorted(met, key=lambda one: one[:3]):
        if a in left and b in right:
            left.remove(a)
            right.remove(b)
            yield a, b
    yield from ((a, None) for a in left)
    yield from ((None, b) for b in right)


def together(a: Span, b: Span) -> bool:
    return (a.end is None or b.begin <= a.end) and (b.end is None or a.begin <= b.end)
