"""What a table and a page say of a backtest, line by line, in one language."""

from collections.abc import Iterator
from datetime import datetime
from itertools import zip_longest
from typing import NamedTuple

from api.backtest.views import BacktestView, ChangeView, CountsView, CountView, EpisodeView
from api.backtest.words import BUDGETS, NOTHING, Language, duration, figure_value, word
from api.http.quality_views import LEVELS
from gateway.core.values import Level

GAPS_LISTED = 50
"""Times not observed that are shown; the others are counted."""
VALUE_MOST = 40
"""Characters of a value that are shown."""


class Row(NamedTuple):
    """A line of a table, and whether it deserves attention."""

    cells: tuple[str, ...]
    tone: str = ""
    """``good``, ``bad`` or empty."""


class Lines:
    """The lines of a backtest.

    Args:
        view: what is shown.
        language: ``en`` or ``zh``.
    """

    def __init__(self, view: BacktestView, language: Language) -> None:
        self._view, self._language = view, language

    def word(self, key: str, *values: object) -> str:
        """A word with its values."""
        return word(key, self._language).format(*values)

    def title(self, one: object) -> str:
        """A title in the language."""
        return str(getattr(one, self._language))

    def facts(self) -> list[tuple[str, str]]:
        """What was judged."""
        view = self._view
        window = f"{_minute(view.window.start)} {NOTHING} {_minute(view.window.end)} ({view.timezone})"
        gap = sum(_seconds(one.start, one.end) for one in view.unobserved)
        digests = f"{view.sides.now.digest[:12]} → {view.sides.candidate.digest[:12]}"
        return [
            (self.word("site"), view.site),
            (self.word("window"), window),
            (self.word("fed_from"), _minute(view.fed_from)),
            (self.word("observed"), duration(view.observed_seconds)),
            (self.word("unobserved"), duration(gap) if gap else NOTHING),
            (self.word("messages"), f"{view.sides.now.messages:,}"),
            (self.word("configuration"), digests),
        ]

    def gaps(self) -> list[Row]:
        """When nobody observed anything: from, to, how long."""
        return [
            Row((_clock(one.start), _clock(one.end), duration(_seconds(one.start, one.end))))
            for one in self._view.unobserved[:GAPS_LISTED]
        ]

    def gaps_left_out(self) -> int:
        """How many others there are."""
        return max(0, len(self._view.unobserved) - GAPS_LISTED)

    def parameters(self) -> list[Row]:
        """Which parameters differ: profile, name, was, becomes, where."""
        return [
            Row(
                (
                    one.profile,
                    one.param,
                    one.was or NOTHING,
                    one.becomes or NOTHING,
                    self.word("all_devices", len(one.devices)) if one.everywhere else _some(one.devices),
                )
            )
            for one in self._view.parameters
        ]

    def rules(self) -> list[Row]:
        """By rule, and all of them at the end."""
        alerts = self._view.alerts
        rows = [Row((f"{one.profile or '?'}.{one.rule}", *self._counted(one))) for one in alerts.rules]
        return [*rows, Row((self.word("total"), *self._counted(alerts.total)), "total")]

    def _counted(self, one: CountsView) -> tuple[str, ...]:
        now = _with_quiet(one.now, one.now_announced)
        candidate = _with_quiet(one.candidate, one.candidate_announced)
        others = (one.added, one.removed, one.moved, one.level_changed, one.hushed, one.voiced)
        return (now, candidate, *(str(count) if count else NOTHING for count in others))

    def changes(self) -> Iterator[Row]:
        """Every alert that is not the same, in local time."""
        for one in self._view.alerts.changes:
            shown = one.candidate or one.now
            if shown is not None:
                yield Row(self._change(one, shown), "added" if "added" in one.kinds else "")

    def _change(self, one: ChangeView, shown: EpisodeView) -> tuple[str, ...]:
        before = one.now or shown
        what = ", ".join(self.word(kind) for kind in one.kinds)
        if one.shift_seconds:
            shift = duration(abs(one.shift_seconds))
            what = f"{what}: {self.word('later' if one.shift_seconds > 0 else 'earlier', shift)}"
        levels = [self.title(LEVELS[Level[one.level.upper()]]) for one in (before, shown)]
        level = " → ".join(dict.fromkeys(levels))
        if shown.announced_at is None and shown.suppressed is not None:
            level = f"{level} ({self.word('quiet', self.word(shown.suppressed))})"
        value = NOTHING if shown.value is None else _shown(shown.value)
        if shown.value is not None and shown.limit is not None:
            value = f"{value} / {_shown(shown.limit)}"
        lasted = self.word("stands") if shown.until is None else _lasted(shown)
        return (_clock(before.raised_at), one.device, one.rule, what, level, value, lasted)

    def figures(self) -> list[Row]:
        """Alert quality before and after, with the targets."""
        both = self._view.quality
        rows = []
        for now, then in zip(both.now.figures, both.candidate.figures, strict=True):
            verdict = NOTHING if then.verdict_title is None else self.title(then.verdict_title)
            target = NOTHING if then.target is None else self.title(then.target)
            tone = {"good": "good", "over": "bad"}.get(then.verdict or "", "")
            cells = (self.title(now.title), figure_value(now), figure_value(then), target, verdict)
            rows.append(Row(cells, tone))
        return rows

    def top(self) -> list[Row]:
        """The ten most frequent alerts of each site: rank, before, after."""
        both = self._view.quality
        sides = [
            [f"{one.device} {one.rule}: {one.announced} ({one.share:.0%})" for one in side.top_sources]
            for side in (both.now, both.candidate)
        ]
        pairs = zip_longest(*sides, fillvalue=NOTHING)
        return [Row((str(place), now, then)) for place, (now, then) in enumerate(pairs, 1)]

    def impact(self) -> list[Row]:
        """What people get: orders, breaches, notices, rounds, taps, refusals; name, before, after."""
        view = self._view
        busiest = [
            max((getattr(one, side) or 0 for one in view.notices.shifts), default=0)
            for side in ("now", "candidate")
        ]
        found: list[tuple[str, object, object]] = [
            (self.word("orders"), view.orders.now, view.orders.candidate),
            (self.word("orders_more"), NOTHING, view.orders.more),
            (self.word("orders_fewer"), NOTHING, view.orders.fewer),
            (self.word("breaches"), _sum(view.breaches, "now"), _sum(view.breaches, "candidate")),
            (self.word("notices"), view.notices.now, view.notices.candidate),
            (self.word("busiest"), busiest[0], busiest[1]),
            *((self.word("to", one.of[0]), one.now, one.candidate) for one in view.notices.targets),
            *((self.word("round", " ".join(one.of)), one.now, one.candidate) for one in view.rounds),
            *((self.word("tap", one.of[0]), one.now, one.candidate) for one in view.taps),
            *((self.word("rejected", one.of[0]), one.now, one.candidate) for one in view.rejections),
        ]
        return [
            Row((name, f"{now}", f"{then}"), "" if now == then or (now, then) == (NOTHING, 0) else "changed")
            for name, now, then in found
        ]

    def orders(self) -> list[Row]:
        """Templates and devices whose work orders are not as many."""
        return [
            Row((one.template, one.device or NOTHING, str(len(one.now)), str(len(one.candidate))))
            for one in self._view.orders.changes
        ]

    def budgets(self) -> list[Row]:
        """How budgets came out."""
        rows = []
        for one in self._view.budgets:
            verdict = "kept" if one.kept else "doubted" if one.partial else "broken"
            found = NOTHING if one.found is None else f"{one.found:.6g}"
            name = BUDGETS[one.name][0 if self._language == "en" else 1]
            cells = (name, found, f"{one.allowed:.6g}", self.word(verdict))
            rows.append(Row(cells, "good" if one.kept else "bad"))
        return rows

    def notes(self) -> list[str]:
        """What cannot be known, the gravest first."""
        view = self._view
        gap = sum(_seconds(one.start, one.end) for one in view.unobserved)
        now, then = view.sides.now.commands, view.sides.candidate.commands
        moved = (then.met_another, then.dropped, now.met_another, now.dropped)
        found = [
            (view.partial, self.word("partial", f"{view.fault_count:,}")),
            (view.begins_cold, self.word("cold")),
            (True, self.word("before", _minute(view.fed_from))),
            (bool(gap), self.word("gaps", duration(gap))),
            (view.passed_over, self.word("passed_over", view.passed_over)),
            (view.tuned, self.word("tuned", view.tuned)),
            (any(moved), self.word("commands", *moved)),
            (True, self.word("people")),
        ]
        return [text for said, text in found if said]


def _with_quiet(count: int, announced: int) -> str:
    return str(count) if count == announced else f"{count} ({count - announced})"


def _shown(value: object) -> str:
    """What a device said, of a length that fits a table and without anything a terminal would obey."""
    text = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in f"{value}")
    return text if len(text) <= VALUE_MOST else f"{text[:VALUE_MOST]}…"


def _sum(counts: list[CountView], side: str) -> int:
    return sum(getattr(one, side) for one in counts)


def _some(names: list[str], most: int = 3) -> str:
    more = f" +{len(names) - most}" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _clock(at: str) -> str:
    """A written time as a local clock shows it, to the second."""
    return at[:19].replace("T", " ")


def _minute(at: str) -> str:
    return at[:16].replace("T", " ")


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def _lasted(one: EpisodeView) -> str:
    return duration(_seconds(one.raised_at, one.until or one.raised_at))
