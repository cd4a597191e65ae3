"""Reading the steps of a scenario, one after the other: each stands on what was in force before it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from gateway.core.plan import SitePlan
from gateway.core.values import Json, Millis
from gateway.errors import SiteError
from gateway.rehearsal.actions import ACTIONS, OF_STEPS, action_of
from gateway.rehearsal.expectation_names import check_expectation
from gateway.rehearsal.forms import FORMS, OF_OUTCOMES, POSITIVE, form_of
from gateway.rehearsal.ground import Ground, Layer
from gateway.rehearsal.moments import Moments
from gateway.rehearsal.scenario import Expectation, Step
from gateway.rehearsal.shape import Shape
from gateway.rehearsal.step_names import check_step
from gateway.site.document import Path
from gateway.site.fields import shown
from gateway.site.problems import unknown


def plan_of(shape: Shape, ground: Ground, layers: Sequence[Layer]) -> SitePlan | None:
    """The site with layers over it; None, and problems, where something in it is wrong."""
    try:
        return ground.plan(layers)
    except SiteError as exc:
        for problem in exc.problems:
            shape.problems.add(problem)
        return None


class Teller:
    """Reads the steps of one scenario, one after the other."""

    def __init__(
        self,
        shape: Shape,
        ground: Ground,
        layers: tuple[Layer, ...],
        plan: SitePlan,
        begin: datetime,
        device: str | None,
    ) -> None:
        self._shape, self._ground, self._layers = shape, ground, layers
        self._plan, self.device = plan, device
        self._plans: tuple[SitePlan, ...] = (plan,)
        """All that were in force so far: of what is gone something may be expected still."""
        self.moments = Moments(plan.timezone, begin)
        self._now: Millis = 0
        self._registering = False

    def step(self, path: Path, value: Json) -> Step | None:
        """The next step; None where too little of it is right."""
        shape = self._shape
        data = shape.mapping(path, value, None)
        if data is None:
            return None
        actions = action_of(data)
        if len(actions) > 1:
            shape.report(path, f"found {' and '.join(actions)}; a step does one thing: write a step for each")
            return None
        action = actions[0] if actions else None
        allowed = [*OF_STEPS, *((action, *ACTIONS[action]) if action else ())]
        odd = [name for name in data if name not in allowed]
        for name in odd:
            names = allowed if action else [*OF_STEPS, *ACTIONS]
            shape.report((*path, name), unknown("field", name, names))
        at = self._at(path, data)
        if not actions and "expect" not in data and not odd:
            shape.report(path, "the step does nothing and expects nothing")
        device = self._device(path, data)
        if action == "configure":
            self._configure((*path, "configure"), data["configure"])
        expects = self._expects((*path, "expect"), data["expect"], device) if "expect" in data else ()
        step = Step(
            at=at,
            told=str(data.get("at")),
            path=path,
            line=shape.line(path),
            device=device,
            action=action,
            given=data,
            expects=expects,
            plan=self._plan,
        )
        self._registering = self._registering or data.get("act") == "tag.register"
        if device is not None or "device" not in data:
            check_step(step, shape.report, registering=self._registering)
        return step

    def _at(self, path: Path, data: Mapping[str, Json]) -> Millis:
        if "at" not in data:
            self._shape.report(path, "the field 'at' is missing: a step says when it is")
            return self._now
        at = self._shape.take(
            (*path, "at"), data["at"], lambda value: self.moments.read(value, self._now), self._now
        )
        if at < self._now:
            words = f"found {shown(data['at'])}, which is before the step above; steps are in order of time"
            self._shape.report((*path, "at"), words)
        self._now = max(self._now, at)
        return self._now

    def _device(self, path: Path, data: Mapping[str, Json]) -> str | None:
        name = data.get("device", self.device)
        if name is None or (isinstance(name, str) and (name in self._plan.devices or name == "any")):
            return name
        self._shape.report((*path, "device"), unknown("device", str(name), self._plan.devices))
        return None

    def _configure(self, path: Path, value: Json) -> None:
        if self._shape.mapping(path, value, None) is None:
            return
        self._layers = (*self._layers, Layer(path))
        self._plan = plan_of(self._shape, self._ground, self._layers) or self._plan
        self._plans = (*self._plans, self._plan)

    def _expects(self, path: Path, value: Json, device: str | None) -> tuple[Expectation, ...]:
        listed = isinstance(value, list)
        entries = self._shape.list(path, value) if listed else [value]
        found = [
            self.expectation((*path, number) if listed else path, entry, device, self._plans, FORMS)
            for number, entry in enumerate(entries)
        ]
        return tuple(one for one in found if one is not None)

    def bans(self, path: Path, value: Json, taps: Sequence[str] | None) -> tuple[Expectation, ...]:
        """What must never become true.

        Args:
            path: where it stands.
            value: the list.
            taps: what the taps of the scenario are called; None where there may be others.
        """
        found = [
            self.expectation((*path, number), entry, self.device, self._plans, POSITIVE)
            for number, entry in enumerate(self._shape.list(path, value))
        ]
        for one in found:
            if one is not None and one.form == "tap" and taps is not None:
                self._check_tap(one, taps)
        return tuple(one for one in found if one is not None)

    def _check_tap(self, one: Expectation, known: Sequence[str]) -> None:
        if one.given["tap"] not in known:
            words = unknown("tap", str(one.given["tap"]), known)
            self._shape.report((*one.path, "tap"), words)

    def expectation(
        self, path: Path, value: Json, device: str | None, plans: Sequence[SitePlan], forms: Iterable[str]
    ) -> Expectation | None:
        """One expectation; None where too little of it is right."""
        shape = self._shape
        data = shape.mapping(path, value, None)
        if data is None:
            return None
        named = form_of(data)
        if len(named) != 1 or named[0] not in forms:
            words = "found " + (" and ".join(named) or ", ".join(data) or "nothing")
            shape.report(path, f"{words}; one of {', '.join(forms)} is needed")
            return None
        form = named[0]
        fields = FORMS[form]
        if fields is not None:
            shape.mapping(path, data, (form, *fields))
        elif any(isinstance(data.get(name), dict | list) for name in OF_OUTCOMES):
            shape.report(path, "what an outcome is about is named by plain words")
        about = data.get("device", device)
        one = Expectation(
            form=form,
            given=data,
            path=path,
            line=shape.line(path),
            device=about if isinstance(about, str) and about != "any" else None,
        )
        check_expectation(one, plans, shape.report)
        return one
