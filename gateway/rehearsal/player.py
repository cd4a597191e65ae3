"""Playing one scenario: its steps in order of time, what each does, and whether what is expected came."""

import re
from collections import Counter

from gateway.core.effects import Effects
from gateway.core.inputs import Command
from gateway.rehearsal.acts import arguments_of, meant_by, target_of
from gateway.rehearsal.bans import RAISED, broken, verdict
from gateway.rehearsal.judging import judge
from gateway.rehearsal.moments import signed_duration
from gateway.rehearsal.records import Refused
from gateway.rehearsal.results import Failure, Played, Raise
from gateway.rehearsal.scenario import Scenario, ScenarioFile, Step
from gateway.rehearsal.seals import address
from gateway.rehearsal.stage import PhoneUpload, Stage
from gateway.rehearsal.telling import Telling
from gateway.rehearsal.timeline import Devices
from gateway.rehearsal.verdicts import Verdict, View
from gateway.site.fields import duration

_FIGURES = re.compile(r"\d+")

NOBODY = "operator"
"""Who acts where a step names nobody."""


def play(file: ScenarioFile, scenario: Scenario) -> Played:
    """Play one scenario of a file."""
    return _Performance(file.file, scenario).play()


class _Performance:
    """One scenario as it is played."""

    def __init__(self, file: str, scenario: Scenario) -> None:
        self._file, self._scenario = file, scenario
        self._telling = Telling(scenario.moments)
        self._failures: list[Failure] = []
        self._refusals: Counter[int] = Counter()
        """How often each failure that is a refusal came, by its place among the failures."""
        self._refused: dict[tuple[int, str, str, str], int] = {}
        """That place, by the line of the step, who sent it, the reason and the words without their figures."""
        self._raised: set[Raise] = set()
        self._never = [*scenario.never]
        self._commands = 0
        begin = scenario.moments.begin
        self._devices = Devices(scenario.plan, begin, reporting=scenario.reporting, address=address)
        self._stage: Stage | None = None
        self._stage = Stage(scenario.plan, begin, self._heed)

    def play(self) -> Played:
        for step in self._scenario.steps:
            self._telling.like = step.told
            try:
                self._reach(step)
                self._perform(step)
                self._judge(step)
            except Exception as fault:  # noqa: BLE001 - whatever it is, it is this step that brings it to light
                words = f"the gateway fails on it: {fault!r}"
                self._fail(step.line, Verdict("what the step does and expects can be done", words))
                break
        scenario = self._scenario
        if (
            not self._failures
            and not scenario.never
            and not any(step.expects or step.action == "act" for step in scenario.steps)
        ):
            nothing = "nothing is: whatever the rules do, it would pass"
            self._fail(scenario.line, Verdict("that something is expected, by `expect` or `never`", nothing))
        failures = tuple(self._counted(place, one) for place, one in enumerate(self._failures))
        return Played(self._file, scenario.line, scenario.title, failures, frozenset(self._raised))

    def _counted(self, place: int, one: Failure) -> Failure:
        more = self._refusals[place] - 1
        return one if more < 1 else one._replace(found=f"{one.found}; and {more:,} more like it")

    @property
    def stage(self) -> Stage:
        """The stage, once it is built."""
        if self._stage is None:
            raise RuntimeError("nothing is heeded while the stage is built")  # pragma: no cover
        return self._stage

    def _reach(self, step: Step) -> None:
        for sent in self._devices.until(step.at):
            self.stage.reach(sent.at)
            self.stage.hear(sent)
        self.stage.reach(step.at)

    def _perform(self, step: Step) -> None:
        stage, given = self.stage, step.given
        match step.action:
            case "act":
                self._act(step)
            case "clock":
                stage.set_clock(signed_duration(given["clock"]))
            case "restart":
                if stage.down:
                    self._fail(step.line, Verdict("the gateway is killed", "it is down already"))
                else:
                    stage.restart(duration(given["restart"]))
            case "link":
                stage.link(up=given["link"] == "up")
            case "configure":
                stage.configure(step.plan)
            case "tap" | "taps" if "phone" in given:
                skew = signed_duration(given["skew"]) if "skew" in given else 0
                stage.upload(PhoneUpload(str(given["phone"]), self._devices.tapping.bodies(step), skew, step))
        for sent in self._devices.perform(step):
            stage.hear(sent)
        self._reach(step)  # what begins at this very moment

    def _act(self, step: Step) -> None:
        stage, given = self.stage, step.given
        if stage.down:
            self._fail(
                step.line, Verdict(f"{given['act']} by {given.get('by', NOBODY)}", "the gateway is down")
            )
            return
        expects_reply = any(one.form == "reply" for one in step.expects)
        target = target_of(step, stage.records)
        if target is None and not expects_reply:
            self._fail(
                step.line, Verdict(f"{given['act']} on {meant_by(step)}", f"there is no {meant_by(step)}")
            )
            return
        self._commands += 1
        seen = given.get("seen")
        command = Command(
            at=stage.now,
            id=f"act-{self._commands}",
            actor=str(given.get("by", NOBODY)),
            verb=str(given["act"]),
            target="nothing" if target is None else target,
            args=arguments_of(step, stage.records, stage.now),
            expect=seen if isinstance(seen, int) else None,
        )
        stage.take(command)
        reply = stage.records.replies[-1]
        if reply.status != "done" and not expects_reply:
            allowed = f" (allowed: {', '.join(reply.allowed)})" if reply.allowed else ""
            words = f"{reply.status}: {reply.detail}{allowed}"
            self._fail(step.line, Verdict(f"{command.verb} by {command.actor}: done", words))

    def _judge(self, step: Step) -> None:
        records, view = self.stage.records, self._view()
        foreseen = {one.given["rejected"] for one in step.expects if one.form == "rejected"}
        for refused in records.refused:
            if refused.rejection.reason not in foreseen:
                self._refuse(refused)
        for one in step.expects:
            found = judge(one, view)
            if found is not None:
                self._fail(one.line, found)
        records.settle()

    def _refuse(self, refused: Refused) -> None:
        """What was refused is a failure, once: what is said again and again is only counted."""
        one = refused.rejection
        who = one.device or one.topic
        kind = refused.step.line, who, one.reason, _FIGURES.sub("0", one.detail)
        place = self._refused.setdefault(kind, len(self._failures))
        if place == len(self._failures):
            words = f"refused: {one.reason}: {one.detail}"
            self._fail(refused.step.line, Verdict(f"what {who} sends is taken", words))
        self._refusals[place] += 1

    def _heed(self, effects: Effects) -> None:
        """Look at whatever a step of the engine led to, at the moment it did."""
        if self._stage is None:
            return
        devices = self.stage.engine.plan.devices
        for outcome in effects.outcomes:
            device = devices.get(outcome.device or "")
            if outcome.kind in RAISED and device is not None:
                profile = device.kind.profile
                self._raised.add(Raise(profile, str(outcome.rule), str(outcome.level)))
        if not self._never:
            return
        view = self._view()
        for one in [*self._never]:
            found = broken(one, effects, view)
            if found is not None:
                self._never.remove(one)
                moment = self._telling.moment(self.stage.engine.state.scalars.now)
                words = verdict(one, found, view)
                self._failures.append(Failure(self._file, one.line, moment, words.expected, words.found))

    def _view(self) -> View:
        stage = self.stage
        return View(stage.records, stage.engine, self._telling, stage.now)

    def _fail(self, line: int, words: Verdict) -> None:
        self._failures.append(Failure(self._file, line, self._telling.like, words.expected, words.found))
