"""Shelving as it is asked for: of an alert, of a rule of a device, of many alerts at once."""

from pydantic import BaseModel, Field

from api.http.context import Change, Context
from api.http.instants import Moment
from api.http.problems import Problem, wrong
from api.http.texts import Reason
from gateway.core.values import Json


class ShelfGiven(BaseModel):
    """Why, and until when."""

    why: Reason = Field(examples=["fan on order"])
    until: Moment | None = Field(
        None, description="at most the class's longest from now", examples=["2026-11-24T18:00:00+08:00"]
    )
    one_shot: bool = Field(False, strict=True, description="ends with the next clear, if that comes first")


class Shelve(ShelfGiven, Change):
    """A shelf for one rule of one device."""


def shelf_args(given: ShelfGiven) -> dict[str, Json]:
    """What the engine is asked. Raises :class:`Problem` where neither end is given."""
    if given.until is None and not given.one_shot:
        raise wrong("body.until", "give until, or one_shot: true for until it next clears")
    args: dict[str, Json] = {"why": given.why}
    if given.until is not None:
        args["until"] = given.until
    if given.one_shot:
        args["one_shot"] = True
    return args


def shelf_problem(asked: Context, device: str, rule: str, problem: Problem) -> Problem:
    """A refused shelf, with the longest one that would be allowed; nothing for what cannot be shelved at all."""
    found = asked.plan.devices.get(device)
    its = None if found is None else found.kind.rules.get(rule)
    if problem.status == 422 and its is not None and its.shelvable:  # noqa: PLR2004 - what Problem was made with
        problem.more["longest_seconds"] = its.shelve_max / 1_000
        problem.more["latest"] = asked.written(asked.now + its.shelve_max)
    return problem
