"""The patrol report of a month, from the records to the file: what ``fgw report patrol`` and its route share."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeVar

import sqlalchemy as sa

from gateway.adapters.sql import patrol_records, report_records
from gateway.core.patrol.memory import TapRecord
from gateway.core.plan import SitePlan
from gateway.core.values import Millis
from gateway.errors import GatewayError, SiteError
from gateway.reports.document import Document
from gateway.reports.gaps import Span
from gateway.reports.page import html_page
from gateway.reports.patrol_figures import Evidence, PatrolFigures, Proof, month_span, patrol_figures
from gateway.reports.patrol_report import patrol_report
from gateway.reports.table import csv_file
from gateway.reports.words import Language, Wording
from gateway.site import SiteBundle, build_plan

if TYPE_CHECKING:
    from gateway.reports.fonts import Typeface

T = TypeVar("T")

Format = Literal["html", "pdf", "csv"]
Progress = Callable[[str, int], None]
"""Told what is being read, and how many there were so far."""

MEDIA_TYPES: Final[dict[Format, str]] = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
}
_TOLD_EVERY: Final = 1_000


class NoReport(GatewayError):
    """Of this month there is nothing to report."""


class Style(NamedTuple):
    """How a report is written."""

    form: Format
    language: Language
    face: "Typeface | None" = None
    """The letters of a PDF; those found on the machine where None."""


class Written(NamedTuple):
    """A report as a file."""

    name: str
    body: bytes


def nothing(_what: str, _count: int) -> None:
    """Nobody watches."""


def plan_then(connection: sa.Connection, month: str) -> SitePlan:
    """The site as it was in force at the end of a month, or as it is where that cannot be read any more.

    Raises:
        NoReport: the records know no site, or the month is none.
        SiteError: the site that was in force last is not valid in this version.
    """
    last = report_records.configurations(connection, 0)
    if not last:
        raise NoReport("the records know no site yet; start the gateway on them first")
    plan = _built(last[-1].body)
    _, end = span_of(month, plan)
    then = report_records.configurations(connection, end)[0]
    if then.digest == plan.digest:
        return plan
    try:
        return _built(then.body)
    except SiteError:
        return plan


def _built(body: bytes) -> SitePlan:
    return build_plan(SiteBundle.decode(body))


def is_month(text: str) -> bool:
    """Whether a text names a month, such as ``2026-10``."""
    return re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text) is not None


def span_of(month: str, plan: SitePlan) -> Span:
    """The month in the site's zone. Raises :class:`NoReport` where it is no month."""
    if not is_month(month):
        raise NoReport(f"found {month!r}; a month is written as 2026-10")
    try:
        return month_span(month, plan.timezone)
    except (ValueError, OverflowError) as error:
        raise NoReport(f"{month} lies beyond what can be reckoned with: {error}") from None


def write_report(
    connection: sa.Connection,
    plan: SitePlan,
    month: str,
    now: Millis,
    style: Style,
    progress: Progress = nothing,
) -> Written:
    """The report of a month.

    Args:
        connection: a reader's, at one moment of the records.
        plan: the site in force at the end of the month.
        month: such as ``2026-10``.
        now: when the report is made.
        style: how it is written.
        progress: told how far it is.

    Raises:
        NoReport: it is no month, has not begun, or was over before the records begin.
    """
    form, language, face = style
    span = span_of(month, plan)
    wording = Wording(plan, language)
    if span.start >= now:
        raise NoReport(f"{month} has not begun yet in {plan.timezone}; it is {wording.stamp(now)}")
    begun = report_records.begun(connection)
    if begun is None:
        raise NoReport("the records are empty: the gateway has seen no device yet")
    if span.end <= begun:
        raise NoReport(f"{month} is before the records, which begin on {wording.stamp(begun)}")
    figures = _figures(connection, plan, span, now, progress)
    progress(form, 0)
    body = _write(patrol_report(plan, figures, language), form, face)
    return Written(f"patrol-{plan.site}-{month}.{form}", body)


def _write(document: Document, form: Format, face: "Typeface | None") -> bytes:
    if form == "html":
        return html_page(document)
    if form == "csv":
        return csv_file(document)
    from gateway.reports.sheet import pdf_file  # noqa: PLC0415 - a fifth of a second at every start, for whoever wants a PDF

    return pdf_file(document, face)


def _figures(
    connection: sa.Connection, plan: SitePlan, span: Span, now: Millis, progress: Progress
) -> PatrolFigures:
    start, end = span
    first, last = (_day(plan, at) for at in (start, end - 1))
    evidence = Evidence(
        rounds=_told(patrol_records.rounds_between(connection, first, last), "rounds", progress),
        proofs=_told(_proofs(connection, span), "proofs", progress),
        taps=_told(_doubtful(connection, span), "taps", progress),
        unobserved=report_records.unobserved(connection, start, end, now),
    )
    return patrol_figures(plan, span, now, evidence)


def _day(plan: SitePlan, at: Millis) -> str:
    return Wording(plan, "en").stamp(at)[:10]


def _proofs(connection: sa.Connection, span: Span) -> Iterator[Proof]:
    for one in patrol_records.proofs_between(connection, *span):
        yield Proof(one.checkpoint, one.ts, one.received, one.grade, one.counted)


def _doubtful(connection: sa.Connection, span: Span) -> Iterator[TapRecord]:
    yield from patrol_records.doubtful_between(connection, *span)
    yield from report_records.misdated(connection, *span)


def _told(items: Iterable[T], what: str, progress: Progress) -> Iterator[T]:
    count = 0
    for count, one in enumerate(items, 1):
        if count % _TOLD_EVERY == 0:
            progress(what, count)
        yield one
    progress(what, count)
