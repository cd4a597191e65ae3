"""What a rule as a whole must keep to: levels that rise, holds that can be reached, deadbands that can be left."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from gateway.core.plan import (
    AllOf,
    AnyOf,
    Changed,
    Clear,
    Compare,
    Condition,
    Happened,
    LevelRule,
    Negation,
    Rate,
    Rule,
    Suppression,
)
from gateway.core.values import show_duration
from gateway.site.conditions import Scope
from gateway.site.document import Path
from gateway.site.problems import unknown
from gateway.site.profile_file import RuleEntry

_FLEETING = (
    "an event or a change lasts no time, so it can keep nothing quiet;"
    " speak of a point, or of 'count' with the time it looks back"
)


def check_rule(rule: Rule, path: Path, scope: Scope) -> None:
    """Report what makes the rule pointless or impossible."""
    for level in rule.levels:
        _check_holds(level, (*path, "levels", level.level.label), scope)
    for lower, higher in pairwise(rule.levels):
        _check_order(lower, higher, (*path, "levels", higher.level.label), scope)
    _check_deadband(rule.clear, [level.when for level in rule.levels], (*path, "clear", "deadband"), scope)


def check_suppression(found: Suppression, path: Path, scope: Scope) -> None:
    """Report what makes a suppression pointless: it lasts, so what it waits for must last."""
    for condition, where in _walk(found.when, (*path, "when")):
        if isinstance(condition, Happened | Changed):
            scope.report(where, _FLEETING)
    _check_deadband(found.clear, [found.when], (*path, "clear", "deadband"), scope)


def check_quieted(names: Sequence[str], rules: Mapping[str, RuleEntry], path: Path, scope: Scope) -> None:
    """Report rules that a suppression cannot keep quiet: unknown, given twice, or life safety."""
    for index, name in enumerate(names):
        if name not in rules:
            scope.report((*path, index), unknown("rule", name, rules))
        elif name in names[:index]:
            scope.report((*path, index), f"the rule {name!r} was already given")
        elif not rules[name].shelvable:
            scope.report(
                (*path, index),
                f"{name!r} is life safety (shelvable: false) and is never kept quiet;"
                " leave tests out of its own condition instead",
            )


def _check_holds(level: LevelRule, path: Path, scope: Scope) -> None:
    """``for`` on an instant would never be reached."""
    if level.hold and _instant(level.when):
        scope.report((*path, "for"), _never(level.hold))
    for condition, where in _walk(level.when, (*path, "when")):
        if condition.hold and _instant(replace(condition, hold=0)):
            scope.report((*where, "for"), _never(condition.hold))


def _never(hold: int) -> str:
    return (
        f"an event or a change lasts no time, so it is never true for {show_duration(hold)};"
        " put 'for' on the other conditions only"
    )


def _instant(condition: Condition) -> bool:
    """Whether some way of being true lasts no time at all."""
    match condition:
        case Happened() | Changed():
            return True
        case AllOf(parts=parts) | AnyOf(parts=parts):
            return any(_instant(part) for part in parts)
        case _:
            return False


def _check_order(lower: LevelRule, higher: LevelRule, path: Path, scope: Scope) -> None:
    """A higher level must be harder to reach, or the lower one is never seen."""
    one, two = lower.when, higher.when
    if one == two and higher.hold <= lower.hold:
        longer = f"longer than {show_duration(lower.hold)}"
        scope.report(
            path,
            f"the same condition as {lower.level.label}: its 'for' must be {longer}, or {lower.level.label} goes",
        )
    if not (isinstance(one, Compare) and isinstance(two, Compare)) or one.point != two.point:
        return
    if one.high is not None and two.high is not None and two.high < one.high:
        scope.report(
            path, f"above {two.high:g} is reached before {lower.level.label}'s {one.high:g}; levels must rise"
        )
    if one.low is not None and two.low is not None and two.low > one.low:
        scope.report(
            path, f"below {two.low:g} is reached before {lower.level.label}'s {one.low:g}; levels must rise"
        )


def _check_deadband(clear: Clear, conditions: Sequence[Condition], path: Path, scope: Scope) -> None:
    deadband = clear.deadband
    if deadband < 0:
        scope.report(path, f"found {deadband:g}; a deadband is 0 or more")
    if deadband <= 0:
        return
    leaves = [leaf for condition in conditions for leaf, _ in _walk(condition, ())]
    limits = [leaf for leaf in leaves if isinstance(leaf, Compare | Rate)]
    if not limits:
        scope.report(path, "a deadband needs a limit to fall back from; no condition here compares numbers")
    for limit in limits:
        if limit.low is not None and limit.high is not None and limit.low + deadband > limit.high - deadband:
            scope.report(
                path, f"{deadband:g} leaves nothing between {limit.low:g} and {limit.high:g}: it never clears"
            )
        elif isinstance(limit, Compare) and _never_resets(limit, deadband, scope):
            scope.report(
                path, f"{deadband:g} is wider than the valid range of {limit.point!r}: it never clears"
            )


def _never_resets(limit: Compare, deadband: float, scope: Scope) -> bool:
    """Whether no valid value of the point is past the deadband."""
    valid = scope.points[limit.point].valid
    if valid is None:
        return False
    too_low = limit.high is not None and limit.high - deadband < valid[0]
    return too_low or (limit.low is not None and limit.low + deadband > valid[1])


def _walk(condition: Condition, path: Path) -> Iterator[tuple[Condition, Path]]:
    yield condition, path
    match condition:
        case AllOf(parts=parts):
            for index, part in enumerate(parts):
                yield from _walk(part, (*path, "all", index))
        case AnyOf(parts=parts):
            for index, part in enumerate(parts):
                yield from _walk(part, (*path, "any", index))
        case Negation(part=part):
            yield from _walk(part, (*path, "not"))
        case _:
            pass
