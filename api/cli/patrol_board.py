"""The part of the demo's screen that is about patrol: rounds with their results, taps by grade, doubtful taps."""

import datetime as dt
from collections import Counter
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from api.cli.words import Language, word
from gateway.core.effects import Outcome
from gateway.core.patrol.flags import FLAGS
from gateway.core.patrol.rounds import WORDS as STOP_WORDS
from gateway.core.plan import SitePlan
from gateway.core.values import Millis, Title
from gateway.site.zones import zone

RESULTS = {"complete": "green", "doubtful": "yellow", "incomplete": "bold red", "unknown": "yellow"}
GRADES = "ABCD"
SHORT = 2
"""Earlier rounds on the screen that are not complete."""
TAPS = ("tap.judged", "tap.rejudged")


class PatrolBoard:
    """Follows what is said of rounds and taps."""

    def __init__(self, plan: SitePlan, language: Language) -> None:
        self._plan, self._language = plan, language
        self._zone = zone(plan.timezone)
        self._rounds: dict[str, Outcome] = {}
        """What was last said of each round."""
        self._visited: dict[str, set[str]] = {}
        """Checkpoints tapped so far, by open round."""
        self._taps: dict[str, Outcome] = {}
        self._judged: dict[str, Outcome] = {}
        """What became of rounds, the latest news last."""
        self._doubtful: Outcome | None = None

    def follow(self, outcome: Outcome) -> None:
        """Take in what happened."""
        name = outcome.subject or ""
        match outcome.kind:
            case "round.opened":
                self._rounds[name] = outcome
                self._visited[name] = set()
            case "round.judged" | "round.changed" | "round.closed":
                self._rounds[name] = outcome
                self._visited.pop(name, None)
                if outcome.kind != "round.closed":
                    self._judged.pop(name, None)
                    self._judged[name] = outcome
            case "tap.judged" | "tap.rejudged":
                self._taps[name] = outcome
                self._visit(outcome.detail)
                if not outcome.detail.get("counted"):
                    self._doubtful = outcome

    def _visit(self, tap: dict[str, Any]) -> None:
        for name in tap.get("rounds", ()):
            if name in self._visited and tap.get("counted") and tap.get("checkpoint"):
                self._visited[name].add(tap["checkpoint"])

    @staticmethod
    def is_worth_a_line(outcome: Outcome) -> bool:
        """Whether a person wants to read it by itself: of taps only those that do not count, and late uploads."""
        if outcome.kind != "tap.judged":
            return True
        return not outcome.detail.get("counted") or "late_upload" in outcome.detail.get("flags", ())

    def draw(self) -> RenderableType:
        """A few lines that wrap on a narrow screen."""
        lines = [*self._figures()]
        if self._visited:
            lines.append(self._line("walking", ", ".join(self._progress(name) for name in self._visited)))
        for key, one in self._news():
            lines.append(self._line(key, self._said(one), RESULTS.get(str(one.detail.get("result")), "")))
        if self._doubtful is not None:
            lines.append(self._line("doubtful_tap", self._said(self._doubtful), "yellow"))
        return Group(*lines)

    def _news(self) -> list[tuple[str, Outcome]]:
        """The last round, and the last ones that are not complete."""
        latest = list(reversed(self._judged.values()))
        short = [one for one in latest[1:] if one.detail.get("result") != "complete"]
        return [
            *(("last_round", one) for one in latest[:1]),
            *(("not_complete", one) for one in short[:SHORT]),
        ]

    def summary(self) -> list[str]:
        """Rounds by result, taps by grade and what was missed."""
        rounds = ", ".join(f"{name} {count}" for name, count in self._results())
        taps = ", ".join(f"{name} {count}" for name, count in self._grades())
        none = self._word("none")
        return [
            f"{self._word('rounds')}: {rounds or none}",
            f"{self._word('taps')}: {taps or none}",
            f"{self._word('missed_stops')}: {self._missed()}",
        ]

    def words(self, outcome: Outcome) -> str:
        """What there is to say of a round or a tap, beside its name."""
        detail = outcome.detail
        if outcome.kind == "round.opened":
            return f"{self._word('until')} {self._clock(detail['end'])}"
        if outcome.kind in ("round.judged", "round.changed", "round.closed"):
            stops = ", ".join(f"{detail[key]} {self._word(key)}" for key in STOP_WORDS if detail.get(key))
            return f"{self._word(str(detail.get('result')))} ({stops})"
        if outcome.kind in TAPS:
            flags = "; ".join(self._title(FLAGS[name].title) for name in detail.get("flags", ()))
            made = f"{self._word('made_at')} {self._clock(detail['ts'])}"
            worth = self._word(f"grade.{detail['grade']}" if detail.get("counted") else "not_counted")
            return ", ".join(part for part in (self._guard(outcome.actor), made, worth, flags) if part)
        if outcome.kind.startswith("guard.token"):
            return ""
        return str(detail.get("why") or detail.get("tag") or self._guard(outcome.actor))

    def _figures(self) -> list[Text]:
        rounds = [(self._word("round_open"), len(self._visited)), *self._results()]
        rounds.append((self._word("missed_stops"), self._missed()))
        return [
            Text(self._word("patrol"), "bold"),
            *(
                self._line(key, " · ".join(f"{name} {count}" for name, count in figures) or "0")
                for key, figures in (("rounds", rounds), ("taps", self._grades()))
            ),
        ]

    def _line(self, key: str, words: str, style: str = "") -> Text:
        return Text.assemble((f"{self._word(key)}: ", "dim"), (words, style))

    def _said(self, outcome: Outcome) -> str:
        return f"{self._clock(outcome.at)} {self._name(outcome.device)}: {self.words(outcome)}"

    def _progress(self, name: str) -> str:
        route = self._rounds[name].device or ""
        stops = len(self._plan.routes[route].stops) if route in self._plan.routes else 0
        return f"{self._name(route)} {len(self._visited[name])}/{stops}"

    def _results(self) -> list[tuple[str, int]]:
        counts = Counter(
            str(one.detail.get("result")) for name, one in self._rounds.items() if name not in self._visited
        )
        return [(self._word(result), counts[result]) for result in (*RESULTS, "cancelled") if counts[result]]

    def _grades(self) -> list[tuple[str, int]]:
        counted = Counter(
            str(one.detail["grade"]) for one in self._taps.values() if one.detail.get("counted")
        )
        found = [(self._word(f"grade.{grade}"), counted[grade]) for grade in GRADES if counted[grade]]
        void = len(self._taps) - counted.total()
        return [*found, (self._word("not_counted"), void)] if void else found

    def _missed(self) -> int:
        """Stops missed for certain: where a phone has not synced yet, the round's result is unknown."""
        known = (one.detail for one in self._rounds.values() if one.detail.get("result") != "unknown")
        return sum(int(detail.get("missed", 0)) for detail in known)

    def _guard(self, name: str | None) -> str:
        found = self._plan.patrol.guards.get(name or "")
        return name or "" if found is None else self._title(found.title)

    def _name(self, device: str | None) -> str:
        found = self._plan.devices.get(device or "")
        return device or "" if found is None else self._title(found.title)

    def _clock(self, at: Millis) -> str:
        return f"{dt.datetime.fromtimestamp(at / 1000, self._zone):%H:%M:%S}"

    def _word(self, key: str) -> str:
        return word(key, self._language)

    def _title(self, title: Title) -> str:
        return title.zh if self._language == "zh" else title.en
