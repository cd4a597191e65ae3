"""The patrol report as a document: the figures put into words, in English or Chinese, times in the site's zone."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.core.plan import SitePlan
from gateway.core.values import Millis, Title
from gateway.reports import words
from gateway.reports.document import (
    Block,
    Column,
    Document,
    Facts,
    Listing,
    Paragraph,
    Row,
    Section,
    Signatures,
    Table,
)
from gateway.reports.gaps import CoverageFigures
from gateway.reports.patrol_figures import GRADES, CheckpointFigures, PatrolFigures
from gateway.reports.patrol_lists import Lists
from gateway.reports.rounds import PENDING, RESULTS, STOPS, Tally
from gateway.reports.words import Language, Wording


def patrol_report(plan: SitePlan, figures: PatrolFigures, language: Language) -> Document:
    """The report of a period.

    Args:
        plan: the site the figures are about.
        figures: what is reported.
        language: ``en`` or ``zh``.
    """
    wording = Wording(plan, language)
    of, site = wording.of, wording.of(plan.title)
    span = wording.say(words.FROM_TO, *(wording.time(at) for at in figures.period))
    month = wording.month(*figures.period) or span
    parts = _Parts(plan, figures, wording)
    return Document(
        language=language,
        title=of(words.REPORT),
        subtitle=f"{site} · {month}",
        foot=f"{of(words.REPORT)} · {site} · {month}",
        page=of(words.PAGE),
        made_at=wording.stamp(figures.now),
        head=Facts(
            (
                (of(words.SITE), f"{site} ({plan.site})"),
                (of(words.MONTH), month),
                (of(words.PERIOD), span),
                (of(words.MADE), wording.stamp(figures.now)),
                (of(words.ZONE), plan.timezone),
                (of(words.SITE_DIGEST), plan.digest),
                (of(words.EVIDENCE), figures.digest),
            )
        ),
        sections=tuple(
            Section(f"{number}. {of(title)}", blocks) for number, (title, blocks) in enumerate(parts.all(), 1)
        ),
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """The sections, one by one."""

    plan: SitePlan
    figures: PatrolFigures
    wording: Wording

    def all(self) -> Iterator[tuple[Title, tuple[Block, ...]]]:
        """Titles and what stands under them. Of a period that has not begun there is only that to say."""
        yield words.SUMMARY, self.summary()
        if self.figures.now < self.figures.period.start:
            return
        yield words.PROOF, self.proof()
        yield words.BY_ROUTE, self.by_route()
        yield words.BY_CHECKPOINT, self.by_checkpoint()
        lists = Lists(self.figures, self.wording)
        yield words.EXCEPTIONS, lists.exceptions()
        yield words.UNCOUNTED, lists.uncounted()
        yield words.REVIEWS, lists.reviews()
        yield words.UNOBSERVED, lists.unobserved()
        yield words.SIGNED, self.signatures()

    def summary(self) -> tuple[Block, ...]:
        total = self.figures.total
        blocks: list[Block] = [*self._standing(), *self._empty()]
        if total.rounds_due:
            blocks += [
                self._counts(words.ROUNDS, words.ROUND_WORDS, total.rounds_due, total.rounds, RESULTS),
                self._counts(words.STOPS, words.STOP_WORDS, total.stops_due, total.stops, STOPS),
                self._completion(total),
                Paragraph(self.wording.of(words.DEFINITION), "small"),
            ]
        if open_rounds := total.rounds[PENDING]:
            blocks.append(
                Paragraph(self.wording.say(words.OPEN_ROUNDS, open_rounds, total.stops[PENDING]), "small")
            )
        return tuple(blocks)

    def _standing(self) -> list[Block]:
        """Whether the period is over."""
        figures = self.figures
        if figures.now < figures.period.start:
            return [Paragraph(self.wording.of(words.NOT_BEGUN), "note")]
        if figures.now < figures.period.end:
            return [Paragraph(self.wording.say(words.RUNNING, self.wording.time(figures.now)), "note")]
        return []

    def _empty(self) -> list[Block]:
        if not self.plan.routes:
            return [Paragraph(self.wording.of(words.NO_ROUTES), "note")]
        if not self.figures.total.rounds:
            return [Paragraph(self.wording.of(words.NO_ROUNDS), "note")]
        return []

    def _counts(
        self, name: Title, titles: Mapping[str, Title], due: int, counts: Counter[str], order: tuple[str, ...]
    ) -> Table:
        columns = [Column(self.wording.of(titles[word]), 1, numeric=True) for word in ("due", *order)]
        return Table(
            columns=(Column(self.wording.of(name), 0.9), *columns),
            rows=(("", due, *(counts[word] for word in order)),),
        )

    def _completion(self, total: Tally) -> Paragraph:
        if not total.expected:
            return Paragraph(self.wording.of(words.NO_COMPLETION), "key")
        share = self.wording.share(total.visited, total.expected)
        return Paragraph(self.wording.say(words.COMPLETION_IS, share, total.visited, total.expected), "key")

    def proof(self) -> tuple[Block, ...]:
        of, figures = self.wording.of, self.figures
        if not figures.taps:
            return (Paragraph(of(words.NO_TAPS)), Paragraph(of(words.PROVES), "key"))
        columns = (
            Column(of(words.GRADE), 1),
            Column(of(words.MEANING), 6),
            Column(of(words.TAPS), 1, numeric=True),
            Column(of(words.SHARE), 1, numeric=True),
        )
        rows = tuple(
            (grade, of(words.GRADE_WORDS[grade]), count, self.wording.share(count, figures.taps))
            for grade in GRADES
            for count in (figures.grades.get(grade, 0),)
        )
        late = self.wording.share(figures.late_sync, figures.taps)
        return (
            Table(columns=columns, rows=rows),
            Paragraph(self.wording.say(words.LATE_SYNC, figures.late_sync, figures.taps, late)),
            Paragraph(of(words.PROVES), "key"),
        )

    def by_route(self) -> tuple[Block, ...]:
        of, routes = self.wording.of, self.figures.routes
        if not routes:
            return (Paragraph(of(words.NO_ROUTES)),)
        columns = (
            Column(of(words.ROUTE), 4),
            Column(of(words.ROUNDS), 1.2, numeric=True),
            Column(of(words.COMPLETION), 1.3, numeric=True),
            Column(of(words.STOP_WORDS["missed"]), 1, numeric=True),
            Column(of(words.ROUND_WORDS["doubtful"]), 1, numeric=True),
        )
        return (Table(columns=columns, rows=tuple(self._route(*item) for item in routes.items())),)

    def _route(self, name: str, tally: Tally) -> Row:
        return (
            self.wording.route(name),
            tally.rounds_due,
            self.wording.share(tally.visited, tally.expected),
            tally.stops["missed"],
            tally.rounds["doubtful"],
        )

    def by_checkpoint(self) -> tuple[Block, ...]:
        of, checkpoints = self.wording.of, self.figures.checkpoints
        if not checkpoints:
            return (Paragraph(of(words.NO_CHECKPOINTS)),)
        columns = (
            Column(of(words.CHECKPOINT), 3),
            Column(of(words.VISITS), 0.8, numeric=True),
            Column(of(words.STOP_WORDS["missed"]), 0.9, numeric=True),
            Column(of(words.LONGEST), 1.9),
            Column(of(words.FROM), 1.25),
            Column(of(words.TO), 1.25),
            Column(of(words.COVERAGE), 2.6),
        )
        return (
            Table(columns=columns, rows=Listing(checkpoints, self._checkpoint)),
            Paragraph(of(words.GAP_NOTE), "small"),
        )

    def _checkpoint(self, one: CheckpointFigures) -> Row:
        known = self.plan.checkpoints.get(one.checkpoint)
        place = "" if known is None else self.wording.place(known)
        gap = one.longest
        return (
            self.wording.checkpoint(one.checkpoint) + (f"\n{place}" if place else ""),
            one.visits,
            one.missed,
            self._gap(one),
            "" if gap is None else self.wording.time(gap.since),
            "" if gap is None else self.wording.time(gap.until),
            "\n".join(self._coverage(rule) for rule in one.coverage),
        )

    def _gap(self, one: CheckpointFigures) -> str:
        """A line each: that there was no proof, how long the gap was, how much of it was not observed."""
        lines = [] if one.visits else [self.wording.of(words.NO_PROOF)]
        if one.longest is not None:
            lines.append(self.wording.duration(one.longest.length))
            lines += self._not_observed(one.longest.unobserved)
        return "\n".join(lines)

    def _coverage(self, one: CoverageFigures) -> str:
        limit = self.wording.duration(one.rule.every)
        if not one.over:
            return self.wording.say(words.WITHIN, limit)
        over = self.wording.say(words.OVER, limit, self.wording.duration(one.over))
        return "\n".join([over, *self._not_observed(one.over_unobserved)])

    def _not_observed(self, length: Millis) -> list[str]:
        if not length:
            return []
        return [self.wording.say(words.OF_IT_UNOBSERVED, self.wording.duration(length))]

    def signatures(self) -> tuple[Block, ...]:
        of = self.wording.of
        return (
            Signatures(
                tuple(of(title) for title in words.SIGNERS),
                tuple(of(title) for title in words.SIGNATURE_LINES),
            ),
        )
