"""Taps, rounds and checkpoints in stories, in words a supervisor can read.

A step ``tap: {…}`` (or ``taps: [{…}, …]``, one upload) is by the reader in ``device``, or by a ``phone``. Of each tap: ``tag``, ``code``, or
``seal: {uid, counter, epoch, tamper}`` of a cryptographic tag (``seal: {verdict: forged}`` where it proves nothing); ``guard``, ``id``, ``how``. Of
the step: ``ago`` when it was made (of each tap where that differs), ``clock: -2h`` by how much the device's clock is wrong, ``jump: 1h`` by
how much it was set forward between tap and upload, ``queued`` what the device still holds, ``token`` whose phone it was.
A ``label`` is the code of that checkpoint as it stands on its label: scanned, or typed where ``how`` says so.
A phone says what its clock shows at the upload; a reader where the step has ``says_sent``.

Expected: ``rounds: ["night 22:00 judged incomplete: gate on_time, boiler missed"]``, ``judged: {t1: C counted, t2: "D not counted: forged"}``,
``places: {gate: missed yes, boiler: gap long}``.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gateway.core.effects import Outcome
from gateway.core.inputs import Tap
from gateway.core.patrol import judging
from gateway.core.patrol.memory import Round, RoundState, StopOutcome, TapRecord
from gateway.core.tags import code
from gateway.core.values import Millis, Seal
from gateway.site.fields import duration

if TYPE_CHECKING:
    from tests.scenarios.timeline import Telling

EXPECTED = ("rounds", "judged", "places", "oddities")


def inputs(step: dict[str, Any], at: Millis, device: str, number: int, site: str) -> Iterator[Tap]:
    """The taps of one step."""
    phone = step.get("phone")
    error = signed(str(step.get("clock", "0s")))
    jump = signed(str(step.get("jump", "0s")))
    says = phone is not None or step.get("says_sent", False)
    before: Millis | None = None
    for index, given in enumerate(step.get("taps") or [step["tap"]]):
        body = {**given}
        made = at - signed(str(body.pop("ago", step.get("ago", "0s"))))
        ts = made + error
        if "label" in body:
            body = {"how": "qr", "code": code(site, body.pop("label"))} | body
        seal = Seal(**{"verdict": "good", **body.pop("seal")}) if "seal" in body else None
        yield Tap(
            at=at,
            source=phone or device,
            ts=ts,
            id=str(body.pop("id", f"tap{number + index + 1}")),
            url="https://gateway.example/t" if seal else None,
            seal=seal,
            sent=at + error + jump if says else None,
            before=before,
            queued=step.get("queued"),
            by=step.get("token"),
            retained=step.get("retained", False),
            ask=f"ask-{number}-{index}",
            **body,
        )
        before = ts


def signed(text: str) -> Millis:
    """A duration that may be negative."""
    return -duration(text[1:]) if text.startswith("-") else duration(text)


def target(telling: "Telling", word: str) -> str:
    """The id of a tap by the id its client gave it, of a route's newest round, else the word itself."""
    if word in telling.taps:
        return telling.taps[word].id
    rounds = [one for one in telling.rounds.values() if one.route == word]
    return max(rounds, key=lambda one: one.start).id if rounds else word


def found(telling: "Telling", name: str, expected: Any) -> Any:  # noqa: ANN401 - YAML is untyped
    """What there is, in the form of what is expected."""
    rounds = sorted(telling.rounds.values(), key=lambda one: (one.start, one.route))
    match name:
        case "rounds":
            return (
                [_round(one) for one in rounds][-len(expected) :]
                if expected
                else [_round(one) for one in rounds]
            )
        case "oddities":
            return [f"{odd.kind} {odd.checkpoint}" for one in rounds[-1:] for odd in one.oddities]
        case "judged":
            return {key: judged(telling.taps[key]) for key in expected}
        case _:
            return {key: _place(telling, key) for key in expected}


def _round(one: Round) -> str:
    outcomes = one.outcomes
    if one.state is RoundState.OPEN:
        counted = {
            visit.checkpoint: judging.expected(one, visit.ts, visit.checkpoint)
            for visit in one.visits
            if not visit.flag
        }
        outcomes = [
            StopOutcome(checkpoint=stop.checkpoint, word=counted.get(stop.checkpoint, "pending"))
            for stop in one.stops
        ]
    stops = ", ".join(_stop(outcome) for outcome in outcomes)
    result = "" if one.state is RoundState.OPEN else f" {one.result}"
    return f"{one.route} {one.date} {one.key[11:]} {one.state}{result}: {stops}"


def _stop(outcome: StopOutcome) -> str:
    words = [outcome.checkpoint, outcome.word]
    words += ["provisional"] if outcome.provisional else []
    words += ["out_of_order"] if outcome.out_of_order else []
    words += [f"({outcome.reason})"] if outcome.reason else []
    return " ".join(words)


def judged(record: TapRecord) -> str:
    """A tap's judgement in a line."""
    word = "counted" if record.counted else "not counted"
    flags = f": {', '.join(record.flags)}" if record.flags else ""
    review = f" ({record.review})" if record.review else ""
    return f"{record.grade} {word}{review}{flags}"


def words(telling: "Telling", one: Outcome) -> str:
    """A tap's outcome in a line."""
    known = next((record for record in telling.taps.values() if record.id == one.subject), None)
    name = "" if known is None else known.key
    detail = one.detail
    flags = f": {', '.join(detail['flags'])}" if detail["flags"] else ""
    word = "" if detail["counted"] else " not counted"
    return f"{one.kind} {one.device or 'nowhere'} {name} {detail['grade']}{word}{flags}"


def _place(telling: "Telling", checkpoint: str) -> str:
    place = telling.engine.state.patrol.places.get(checkpoint)
    if place is None or (place.missed, place.gap) == ("no", "no"):
        return "well"
    return " ".join(
        f"{what} {word}" for what, word in (("missed", place.missed), ("gap", place.gap)) if word != "no"
    )
