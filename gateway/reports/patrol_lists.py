"""The lists of the patrol report: exceptions, taps that did not count, reviews, and times not observed."""

from collections import Counter
from dataclasses import dataclass

from gateway.reports import words
from gateway.reports.document import Block, Column, Listing, Paragraph, Row, Table
from gateway.reports.gaps import Span
from gateway.reports.patrol_figures import PatrolFigures, Pending
from gateway.reports.rounds import Finding
from gateway.reports.words import KIND_NOTES, KINDS, Wording

PRINTED = 200
"""So many rows of a long list go on paper."""


@dataclass(frozen=True, slots=True)
class Lists:
    """Writes them in words, section by section.

    Args:
        figures: what is reported.
        wording: the words of one language.
    """

    figures: PatrolFigures
    wording: Wording

    def exceptions(self) -> tuple[Block, ...]:
        """How many of each type, and each of them."""
        of, found = self.wording.of, self.figures.findings
        if not found:
            return (Paragraph(of(words.NONE)),)
        counts = Counter(one.kind for one in found)
        order = {name: place for place, name in enumerate(KINDS)}
        kinds = sorted(counts, key=lambda kind: (order.get(kind, len(order)), kind))
        by_kind = Table(
            columns=(Column(of(words.KIND), 4), Column(of(words.COUNT), 1, numeric=True)),
            part=0.5,
            rows=tuple((self.wording.kind(kind), counts[kind]) for kind in kinds),
        )
        columns = (
            Column(of(words.DATE), 1.5),
            Column(of(words.ROUND), 2.2),
            Column(of(words.CHECKPOINT), 2.4),
            Column(of(words.KIND), 2),
            Column(of(words.TIME), 2.2),
            Column(of(words.DETAIL), 2.7),
        )
        rows = Listing(found, self._finding)
        return by_kind, Table(columns=columns, rows=rows, limit=PRINTED, more=of(words.MORE))

    def _finding(self, one: Finding) -> Row:
        return (
            one.date,
            f"{self.wording.route(one.route)} {one.key[-5:]}",
            words.NOTHING if one.checkpoint is None else self.wording.checkpoint(one.checkpoint),
            self.wording.kind(one.kind),
            words.NOTHING if one.ts is None else self.wording.time(one.ts),
            self._detail(one),
        )

    def _detail(self, one: Finding) -> str:
        if one.provisional:
            return self.wording.of(words.PROVISIONAL)
        if one.took is not None and one.kind in KIND_NOTES:
            took, limit = (self.wording.duration(length or 0) for length in (one.took, one.limit))
            return self.wording.say(KIND_NOTES[one.kind], took=took, limit=limit)
        return self.wording.kind(one.text) if one.kind in ("missed", "unknown") else one.text

    def uncounted(self) -> tuple[Block, ...]:
        """How many for each reason."""
        of, counts = self.wording.of, self.figures.uncounted
        if not counts:
            return (Paragraph(of(words.NONE)),)
        columns = (Column(of(words.REASON), 6), Column(of(words.TAPS), 1, numeric=True))
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return (
            Table(columns=columns, rows=tuple((self.wording.reason(name), count) for name, count in ordered)),
        )

    def reviews(self) -> tuple[Block, ...]:
        """Each tap that waits for a supervisor."""
        of, pending = self.wording.of, self.figures.pending
        if not pending:
            return (Paragraph(of(words.NO_REVIEWS)),)
        columns = (
            Column(of(words.TIME), 1.6),
            Column(of(words.CHECKPOINT), 2.4),
            Column(of(words.GUARD), 1.4),
            Column(of(words.DETAIL), 4),
        )
        rows = Listing(pending, self._review)
        return (Table(columns=columns, rows=rows, limit=PRINTED, more=of(words.MORE)),)

    def _review(self, one: Pending) -> Row:
        return (
            self.wording.time(one.ts),
            self.wording.checkpoint(one.checkpoint),
            self.wording.guard(one.guard),
            "; ".join(self.wording.kind(flag) for flag in one.flags),
        )

    def unobserved(self) -> tuple[Block, ...]:
        """From when until when, and what that means."""
        of, spans = self.wording.of, self.figures.unobserved
        if not spans:
            return (Paragraph(of(words.ALL_OBSERVED)),)
        whole = self.wording.duration(sum(span.end - span.start for span in spans))
        columns = (Column(of(words.FROM), 2), Column(of(words.TO), 2), Column(of(words.LASTED), 2))
        rows = Listing(spans, self._stretch)
        return (
            Paragraph(self.wording.say(words.UNOBSERVED_NOTE, whole), "note"),
            Table(columns=columns, rows=rows, limit=PRINTED, more=of(words.MORE)),
        )

    def _stretch(self, span: Span) -> Row:
        return (*(self.wording.time(at) for at in span), self.wording.duration(span.end - span.start))
