"""From what is on record of a period to what is shown of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date

from api.http.context import Context
from api.http.device_views import TitleView
from api.http.local_time import LocalTime
from api.http.quality_names import Names
from api.http.quality_views import (
    MIX,
    DayView,
    FigureView,
    FloodView,
    GroupView,
    MixView,
    QualityView,
    SpellView,
    TopView,
    figure,
)
from gateway.adapters.sql.quality import Kept
from gateway.core import quality_figures as judged
from gateway.core.quality import Spell
from gateway.core.quality_figures import Period, Rate, Sums, Times
from gateway.core.values import SECOND, Level, Millis

LISTED = 100
"""Entries of a list at the most: the newest floods and spells, the largest groups."""


class Board:
    """The figures of one period.

    Args:
        asked: the plan and the time of the request.
        period: whole windows.
        kept: what is on record of it.
    """

    def __init__(self, asked: Context, period: Period, kept: Kept) -> None:
        self._asked, self._kept = asked, kept
        self._names = Names(asked.plan, kept.sums)
        self._local = LocalTime(asked.plan.timezone)
        self._whole = period
        self._past = Period(period.start, max(period.start, min(period.end, asked.now)))
        gaps = [one for one in kept.spells if one.spell is Spell.UNOBSERVED]
        self._seen = judged.observed(self._past, kept.since, gaps)
        self._rate = judged.rate(kept.announced, self._seen, self._local.offset_at)
        self._days = [self._day(day, part) for day, part in self._local.days(self._past)]

    def view(self, by: str | None) -> QualityView:
        """All of it, with the groups of one kind."""
        past, rate = self._past, self._rate
        groups = [] if by is None else self._groups(by)
        return QualityView(
            start=self._asked.written(self._whole.start),
            end=self._asked.written(self._whole.end),
            observed_seconds=rate.observed / SECOND,
            unobserved_seconds=(past.end - past.start - rate.observed) / SECOND,
            figures=list(self._figures()),
            floods=[self._flood(one) for one in rate.floods[: -LISTED - 1 : -1]],
            floods_left_out=max(0, len(rate.floods) - LISTED),
            top_rules=self._top(self._names.kind_and_rule, with_device=False),
            top_sources=self._top(lambda one: (one.device, one.rule), with_device=True),
            mix=list(self._mix()),
            chattering=self._spells([one for one in self._of(Spell.CHATTERING) if one.began < past.end]),
            stale=self._spells(self._standing(Spell.STALE)),
            shelved=self._spells(self._standing(Spell.SHELVED)),
            out_of_service=self._spells(self._standing(Spell.OUT_OF_SERVICE)),
            days=self._days,
            by=by,
            groups=groups[:LISTED],
            groups_left_out=max(0, len(groups) - LISTED),
        )

    def _figures(self) -> Iterator[FigureView]:
        rate, known = self._rate, bool(self._seen)
        yield figure("rate_mean", rate.mean, judged.judge_rate(rate.mean), rate.announced)
        yield figure("rate_peak", rate.peak, judged.judge_below(rate.peak, judged.FLOOD_ABOVE + 1))
        flood = judged.judge_below(rate.flood_share, judged.FLOOD_SHARE_MOST)
        yield figure("flood_share", rate.flood_share, flood, len(rate.floods))
        for name, group in (("top_rules_share", self._names.kind_and_rule), ("top_sources_share", _source)):
            announced = _announced(self._kept.sums, group)
            top = sum(count for _, count in judged.most(announced, str))
            value = judged.share(top, rate.announced)
            yield figure(name, value, judged.judge_below(value, judged.TOP_SHARE_MOST), rate.announced)
        chatters = judged.standing(self._kept.spells, Spell.CHATTERING, self._past)
        chattering = chatters if chatters or known else None
        yield figure("chattering", chattering, judged.judge_none(chattering))
        yield from self._stale(known=known)
        yield self._critical()
        yield from self._durations()

    def _stale(self, *, known: bool) -> Iterator[FigureView]:
        now, worst = len(self._standing(Spell.STALE)), max((one.stale for one in self._days), default=0)
        for name, count in (("stale_now", now), ("stale_worst_day", worst)):
            value = count if count or known else None
            yield figure(name, value, judged.judge_below(value, judged.STALE_MOST))

    def _critical(self) -> FigureView:
        levels, total = self._levels(), self._rate.announced
        critical, warning = (levels.get(one.label, 0) for one in (Level.CRITICAL, Level.WARNING))
        verdict = judged.judge_mix(critical, warning, total)
        return figure("priority_mix", judged.share(critical, total), verdict, total)

    def _durations(self) -> Iterator[FigureView]:
        total = judged.totals(self._kept.sums, lambda _: True).get(True, {})
        for name, amount, count in (
            ("acknowledge_time", "acknowledge_ms", "acknowledged"),
            ("clear_time", "clear_ms", "cleared"),
        ):
            yield figure(name, _seconds(total, amount, count), count=total.get(count, 0))
        for name, spell in (
            ("shelved_time", Spell.SHELVED),
            ("out_of_service_time", Spell.OUT_OF_SERVICE),
        ):
            parts = [found for one in self._of(spell) if (found := one.within(self._past))]
            value = sum(parts) / SECOND if parts or self._seen else None
            yield figure(name, value, count=len(parts))

    def _mix(self) -> Iterator[MixView]:
        levels, total = self._levels(), self._rate.announced
        for level, target in MIX.items():
            found = levels.get(level.label, 0)
            share = judged.share(found, total)
            yield MixView(level=level.label, announced=found, share=share, target=target)

    def _levels(self) -> Mapping[str, int]:
        return _announced(self._kept.sums, lambda one: one.level)

    def _day(self, day: date, part: Period) -> DayView:
        slots = ((slot, count) for slot, count in self._kept.announced.items() if slot < part.end)
        announced = sum(count for slot, count in slots if slot >= part.start)
        seen = judged.overlap(self._seen, part.start, part.end)
        return DayView(
            day=day.isoformat(),
            announced=announced,
            observed_seconds=seen / SECOND,
            rate=announced * judged.WINDOW / seen if seen else None,
            stale=judged.standing(self._kept.spells, Spell.STALE, part),
        )

    def _flood(self, one: judged.Flood) -> FloodView:
        start, end = self._asked.written(one.start), self._asked.written(one.end)
        return FloodView(start=start, end=end, announced=one.announced, peak=one.peak)

    def _top(self, group: Callable[[Sums], tuple[str, str]], *, with_device: bool) -> list[TopView]:
        found = []
        sample = {group(one): one.device for one in self._kept.sums if one.counts.get("announced")}
        for name, count in judged.most(_announced(self._kept.sums, group), str):
            device = self._names.plan.devices.get(sample[name])
            found.append(
                TopView(
                    kind=None if device is None else device.kind.profile,
                    rule=name[1],
                    title=self._names.rule(sample[name], name[1]),
                    device=name[0] if with_device else None,
                    device_title=self._names.device(name[0]) if with_device else None,
                    announced=count,
                    share=count / self._rate.announced,
                )
            )
        return found

    # --- spells --------------------------------------------------------------------------------------------

    def _of(self, spell: Spell) -> list[Times]:
        return [one for one in self._kept.spells if one.spell is spell]

    def _standing(self, spell: Spell) -> list[Times]:
        """Those that last at the end of the period."""
        at = self._past.end
        return [one for one in self._of(spell) if one.began <= at and (one.ended is None or one.ended > at)]

    def _spells(self, found: Sequence[Times]) -> list[SpellView]:
        return [
            SpellView(
                device=one.device,
                device_title=self._names.device(one.device),
                rule=one.rule or None,
                title=self._names.rule(one.device, one.rule),
                began=self._asked.written(one.began),
                ended=self._asked.maybe(one.ended),
            )
            for one in found[: -LISTED - 1 : -1]
        ]

    # --- groups --------------------------------------------------------------------------------------------

    def _groups(self, by: str) -> list[GroupView]:
        name_of, title_of = self._names.grouping(by)
        totals = judged.totals(self._kept.sums, name_of)
        shelved: dict[str, Millis] = {}
        for one in self._of(Spell.SHELVED):
            name = name_of(Sums(one.device, one.rule, "", "", {}))
            if name is not None:
                shelved[name] = shelved.get(name, 0) + one.within(self._past)
        owned = shelved if by in ("rule", "device", "building") else None
        names = sorted({*totals, *(owned or ())})
        views = [
            _group(name, title_of(name), totals.get(name, {}), self._rate, owned, counts=by != "operator")
            for name in names
        ]
        return sorted(views, key=lambda one: (-(one.announced or 0), -one.acknowledged, one.id))


def _source(one: Sums) -> tuple[str, str]:
    return one.device, one.rule


def _announced(sums: Sequence[Sums], group: Callable[[Sums], judged.K]) -> dict[judged.K, int]:
    found = judged.totals(sums, group)
    return {name: counts["announced"] for name, counts in found.items() if counts.get("announced")}


def _seconds(counts: Mapping[str, int], amount: str, count: str) -> float | None:
    found = judged.mean(counts.get(amount, 0), counts.get(count, 0))
    return None if found is None else found / SECOND


def _group(
    name: str,
    title: TitleView,
    found: Mapping[str, int],
    rate: Rate,
    shelved: Mapping[str, Millis] | None,
    *,
    counts: bool,
) -> GroupView:
    announced = found.get("announced", 0) if counts else None
    plain = ("quiet", "acknowledged", "cleared", "chattering", "hidden", "stale", "shelved", "assigned")
    return GroupView(
        id=name,
        title=title,
        announced=announced,
        share=None if announced is None else judged.share(announced, rate.announced),
        acknowledge_seconds=_seconds(found, "acknowledge_ms", "acknowledged"),
        clear_seconds=_seconds(found, "clear_ms", "cleared"),
        shelved_seconds=None if shelved is None else shelved.get(name, 0) / SECOND,
        reset=found.get("reset", 0),
        out_of_service=found.get("out_of_service", 0),
        **{one: found.get(one, 0) for one in plain},
    )
