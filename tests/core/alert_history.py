"""What the history and the records of a run must keep to, whatever happens."""

import msgspec

from gateway.core.effects import Effects, Outcome
from gateway.core.state import Alert
from tests.core.alert_site import LIFE_SAFETY

WHY_ENDED = {"cleared", "acknowledged", "rule removed", "device removed"}


class History:
    """What the outcomes and records of a run must keep to, whatever happens."""

    def __init__(self) -> None:
        self.live: set[str] = set()
        self.over: set[str] = set()
        self._records: dict[str, bytes] = {}
        self._versions: dict[str, int] = {}
        self._shelves: dict[tuple[str | None, str | None], Outcome] = {}
        self._out: set[tuple[str | None, str | None]] = set()

    def take(self, effects: Effects) -> None:
        """One step."""
        for one in effects.outcomes:
            self._read(one)
        for name, alert in effects.alerts.items():
            self._check_version(name, alert, [one for one in effects.outcomes if one.subject == name])

    def _read(self, one: Outcome) -> None:
        assert one.subject not in self.over, f"{one} is about an occurrence that is over"
        place = (one.device, one.rule)
        match one.kind:
            case "alert.raised":
                assert one.subject is not None
                assert one.subject not in self.live
                self.live.add(one.subject)
            case "alert.ended":
                assert one.subject is not None
                assert one.detail["why"] in WHY_ENDED
                self.live.remove(one.subject)
                self.over.add(one.subject)
            case "alert.shelved":
                assert one.rule != LIFE_SAFETY
                assert place not in self._shelves, "a shelf was begun anew"
                self._shelves[place] = one
            case "alert.unshelved":
                self._check_shelf(one, self._shelves.pop(place))
            case "alert.out_of_service":
                if one.rule in (None, LIFE_SAFETY):
                    assert one.actor != one.detail["asked_by"], "one person alone"
                self._out.add(place)
            case "alert.in_service":
                self._out.discard(place)
        if one.detail.get("announced"):
            assert "suppressed" not in one.detail
            assert place not in self._shelves, f"{one} was put before people while shelved"
            assert place not in self._out, f"{one} was put before people while out of service"

    @staticmethod
    def _check_shelf(end: Outcome, begun: Outcome) -> None:
        until = begun.detail["until"]
        assert end.at <= until
        assert end.detail["lasted"] == end.at - begun.at
        if end.detail["why"] == "time is up":
            assert end.at == until
        else:
            assert end.detail["why"] == ("cleared" if end.actor is None else "by hand")

    def _check_version(self, name: str, alert: Alert, told: list[Outcome]) -> None:
        """A change of the record is a new version; of several changes in one step each is told."""
        body = msgspec.to_builtins(alert)
        version = body.pop("version", 1)
        body.pop("step", None)  # how far its escalation is: nobody's act
        text = msgspec.json.encode(body)
        rise = version - self._versions.get(name, 0)
        if text != self._records.get(name):
            assert 1 <= rise <= max(1, len(told)), f"{rise} versions for {[one.kind for one in told]}"
        else:
            assert rise <= len(told)
        self._records[name], self._versions[name] = text, version
