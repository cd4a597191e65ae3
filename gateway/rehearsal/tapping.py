"""Taps as readers and phones send them: what a scenario says of a tap, put into the fields of the wire."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from gateway.core import tags
from gateway.core.places import Checkpoint
from gateway.core.plan import SitePlan
from gateway.core.values import Json, Millis
from gateway.rehearsal.moments import signed_duration
from gateway.rehearsal.scenario import Step
from gateway.site.fields import duration

Address: TypeAlias = Callable[[str, Mapping[str, Json]], str]


class Tapping:
    """Puts the taps of one scenario into words.

    Args:
        start: when the scenario begins, in milliseconds UTC.
        address: makes the address of a secure tag from the site's id and what the scenario says of it; without, the
            tag gives its bare id.
    """

    def __init__(self, start: Millis, address: Address | None = None) -> None:
        self._start, self._address = start, address
        self._count = 0

    def bodies(self, step: Step) -> list[dict[str, Json]]:
        """The taps of a step as they are sent, one object each."""
        given = step.given
        skew = signed_duration(given["skew"]) if "skew" in given else 0
        bodies: list[dict[str, Json]] = []
        for body in _entries(step):
            ago = body.pop("ago", given.get("ago", "0s"))
            name = body.pop("id", None)
            if name is None:
                self._count += 1
                name = f"tap-{self._count}"
            made = self._start + step.at + skew - duration(ago)
            bodies.append({"ts": made, "id": name, **self._read(body, step.plan, made)})
        return bodies

    def _read(self, body: dict[str, Json], plan: SitePlan, at: Millis) -> dict[str, Json]:
        """What was read: the tag or label of a checkpoint in the place of its name."""
        if "checkpoint" in body:
            place = plan.checkpoints[str(body.pop("checkpoint"))]
            body = {"tag": _tag_at(place, at), **body}
        if "seal" in body:
            given = body.pop("seal")
            seal = {"uid": body.pop("tag", None), **(given if isinstance(given, dict) else {})}
            if self._address is None:
                return {"tag": seal["uid"], **body}
            return {"url": self._address(plan.site, seal), **body}
        if "label" in body:
            return {"code": tags.code(plan.site, str(body.pop("label"))), **body}
        return body


def names_of(steps: Iterable[Step]) -> list[str] | None:
    """What the taps of a scenario are called, in order; None where bytes as they are may hold others."""
    found: list[str] = []
    count = 0
    for step in steps:
        if step.action == "raw":
            return None
        for body in _entries(step) if step.action in ("tap", "taps") else ():
            count += "id" not in body
            found.append(str(body.get("id", f"tap-{count}")))
    return found


def _entries(step: Step) -> list[dict[str, Json]]:
    entries = step.given["taps"] if "taps" in step.given else [step.given["tap"]]
    return [
        dict(entry) if isinstance(entry, dict) else {}
        for entry in (entries if isinstance(entries, list) else ())
    ]


def _tag_at(place: Checkpoint, at: Millis) -> str:
    """The tag that hangs at a checkpoint at a moment; the last one where none does."""
    hanging = [one for one in place.tags if one.since <= at and (one.until is None or at < one.until)]
    return (hanging or place.tags)[-1].id
