"""From a backtest to what is shown of it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from api.backtest.views import (
    AlertsView,
    BacktestView,
    BothQualities,
    BothSides,
    BudgetView,
    ChangeView,
    CommandsView,
    CountsView,
    CountView,
    EpisodeView,
    FaultView,
    NoticesView,
    OrdersView,
    OrderView,
    ParameterView,
    PeriodView,
    RuleView,
    ShiftView,
    SideView,
)
from api.http.context import Context
from api.http.device_views import TitleView, title_view
from api.http.instants import written
from api.http.quality_board import Board
from api.http.quality_views import QualityView
from gateway.adapters.sql.quality import Kept as Record
from gateway.backtest.backtest import Backtest
from gateway.backtest.budgets import Kept
from gateway.backtest.course import Side
from gateway.backtest.episodes import Episode
from gateway.backtest.pairing import Pair, began_in
from gateway.backtest.settings import Difference
from gateway.backtest.tallies import more
from gateway.core.quality_figures import Period, overlap
from gateway.core.values import SECOND, Millis, Title

if TYPE_CHECKING:
    from api.http.gateway_port import GatewayPort

KINDS = ("added", "removed", "moved", "level_changed", "hushed", "voiced")


class Body:
    """Puts the view of a backtest together.

    Args:
        result: of the backtest.
    """

    def __init__(self, result: Backtest) -> None:
        self._result = result
        self._timezone = result.now.plan.timezone

    def view(self, budgets: Iterable[Kept] = ()) -> BacktestView:
        """All of it, with how budgets came out."""
        one = self._result
        now, candidate = one.now, one.candidate
        return BacktestView(
            site=now.plan.site,
            timezone=self._timezone,
            sides=BothSides(now=_side(now), candidate=_side(candidate)),
            window=self._period(one.window),
            fed_from=self._at(one.fed_from),
            begins_cold=one.begins_cold,
            observed_seconds=one.observed_time / SECOND,
            unobserved=[self._period(gap) for gap in one.unobserved],
            partial=one.partial,
            fault_count=one.faults,
            faults=[FaultView(**problem._asdict()) for problem in one.problems],
            passed_over=one.passed_over,
            tuned=one.tuned,
            parameters=[_parameter(found) for found in one.parameters],
            alerts=self._alerts(),
            quality=BothQualities(now=self._quality(now), candidate=self._quality(candidate)),
            orders=self._orders(),
            breaches=_counts(now.breaches, candidate.breaches),
            notices=self._notices(),
            rounds=_counts(now.rounds, candidate.rounds),
            taps=_counts(_keyed(now.taps), _keyed(candidate.taps)),
            rejections=_counts(_keyed(now.rejections), _keyed(candidate.rejections)),
            budgets=[BudgetView(**kept._asdict()) for kept in budgets],
        )

    def _at(self, at: Millis) -> str:
        return written(at, self._timezone)

    def _period(self, one: Period) -> PeriodView:
        return PeriodView(start=self._at(one.start), end=self._at(one.end))

    # --- alerts

    def _alerts(self) -> AlertsView:
        groups: dict[tuple[str, str], list[Pair]] = {}
        for pair in self._result.pairs:
            groups.setdefault((self._profile(pair) or "", pair.either.rule), []).append(pair)
        rules = [self._rule(name, some) for name, some in sorted(groups.items())]
        rules.sort(key=lambda one: (-_changed(one), one.profile or "", one.rule))
        changes = [self._change(pair) for pair in self._result.pairs if not pair.same]
        return AlertsView(total=CountsView(**self._count(self._result.pairs)), rules=rules, changes=changes)

    def _rule(self, name: tuple[str, str], pairs: Sequence[Pair]) -> RuleView:
        profile, rule = name
        title = self._title(pairs[0].either.device, rule)
        return RuleView(profile=profile or None, rule=rule, title=title, **self._count(pairs))

    def _title(self, device: str, rule: str) -> TitleView:
        for side in (self._result.candidate, self._result.now):
            found = side.plan.devices.get(device)
            known = None if found is None else found.kind.rules.get(rule)
            if known is not None:
                return title_view(known.title)
        return title_view(Title(rule, rule))

    def _profile(self, pair: Pair) -> str | None:
        name = pair.either.device
        found = self._result.now.plan.devices.get(name) or self._result.candidate.plan.devices.get(name)
        return None if found is None else found.kind.profile

    def _count(self, pairs: Iterable[Pair]) -> dict[str, int]:
        window = self._result.window
        found = dict.fromkeys(CountsView.model_fields, 0)
        for pair in pairs:
            within = [began_in(one, window) for one in (pair.now, pair.candidate)]
            for name, one, inside in zip(
                ("now", "candidate"), (pair.now, pair.candidate), within, strict=True
            ):
                found[name] += inside
                found[f"{name}_announced"] += inside and one is not None and one.announced_at is not None
            for kind in ("same", *KINDS):
                found[kind] += getattr(pair, kind)
            found["moved_in"] += pair.moved and not within[0]
            found["moved_out"] += pair.moved and not within[1]
        return found

    def _change(self, pair: Pair) -> ChangeView:
        both = pair.now is not None and pair.candidate is not None
        return ChangeView(
            device=pair.either.device,
            profile=self._profile(pair),
            rule=pair.either.rule,
            kinds=[kind for kind in KINDS if getattr(pair, kind)],
            shift_seconds=pair.shift / SECOND if both else None,
            now=self._episode(pair.now),
            candidate=self._episode(pair.candidate),
        )

    def _episode(self, one: Episode | None) -> EpisodeView | None:
        if one is None:
            return None
        return EpisodeView(
            raised_at=self._at(one.raised_at),
            until=None if one.until is None else self._at(one.until),
            level=one.level.label,
            announced_at=None if one.announced_at is None else self._at(one.announced_at),
            suppressed=one.suppressed,
            alert=one.alert,
            value=one.value,
            limit=one.limit,
        )

    # --- everything else

    def _quality(self, side: Side) -> QualityView:
        window = self._result.window
        # The board asks a request for its plan and its time, and nothing of the gateway behind it.
        asked = Context(cast("GatewayPort", None), side.plan, window.end)
        return Board(asked, window, Record(*side.quality)).view(None)

    def _orders(self) -> OrdersView:
        now, candidate = self._result.now.opened, self._result.candidate.opened
        groups: dict[tuple[str, str], OrderView] = {}
        for name, opened in (("now", now), ("candidate", candidate)):
            for one in opened:
                view = OrderView(template=one.template, device=one.device or None, now=[], candidate=[])
                kept = groups.setdefault((one.template, one.device), view)
                getattr(kept, name).append(self._at(one.at))
        changes = [one for _, one in sorted(groups.items()) if len(one.now) != len(one.candidate)]
        return OrdersView(
            now=len(now),
            candidate=len(candidate),
            more=more(candidate, now),
            fewer=more(now, candidate),
            changes=changes,
        )

    def _notices(self) -> NoticesView:
        one = self._result
        return NoticesView(
            now=sum(one.now.notices),
            candidate=sum(one.candidate.notices),
            shifts=[
                self._shift(shift, *counts)
                for shift, *counts in zip(one.shifts, one.now.notices, one.candidate.notices, strict=True)
            ],
            targets=_counts(_keyed(one.now.targets), _keyed(one.candidate.targets)),
        )

    def _shift(self, shift: Period, now: int, candidate: int) -> ShiftView:
        seen = overlap(self._result.observed, shift.start, shift.end)
        known = bool(seen or now or candidate)
        return ShiftView(
            start=self._at(shift.start),
            end=self._at(shift.end),
            observed_seconds=seen / SECOND,
            now=now if known else None,
            candidate=candidate if known else None,
        )


def _changed(one: CountsView) -> int:
    return one.added + one.removed + one.moved + one.level_changed + one.hushed + one.voiced


def _side(side: Side) -> SideView:
    commands: dict[Any, int] = dict(side.commands)
    fates = {name: commands.get(name, 0) for name in CommandsView.model_fields}
    return SideView(digest=side.plan.digest, messages=side.messages, commands=CommandsView(**fates))


def _parameter(found: Difference) -> ParameterView:
    return ParameterView(**{**found._asdict(), "devices": [*found.devices]})


def _keyed(counts: Counter[str]) -> Counter[tuple[str, ...]]:
    return Counter({(name,): count for name, count in counts.items()})


def _counts(now: Counter[Any], candidate: Counter[Any]) -> list[CountView]:
    """All that either counts, in order of their names."""
    names = sorted({*now, *candidate})
    return [CountView(of=[*name], now=now[name], candidate=candidate[name]) for name in names]
