"""What a test's gateway knows and does, over its own HTTP."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from api.cli.calls import Caller, CallFailed
from api.pytest_plugin.child import FacilityFailed
from gateway.site.problems import unknown

SHOWN: Final = 8
"""How many alerts and refusals an error lists."""
Row = dict[str, Any]
"""A record as ``/api/v1`` shows it."""


class Ledger(ABC):
    """The records' side of a facility. Every call raises :class:`FacilityFailed` where the gateway refuses it."""

    @property
    @abstractmethod
    def url(self) -> str:
        """Where the gateway serves HTTP, such as ``http://127.0.0.1:40123``; another port after each start."""

    @abstractmethod
    def why_silent(self) -> str:
        """Why nobody answers any more; empty while the gateway runs."""

    def get(self, path: str, **params: object) -> Any:  # noqa: ANN401  # whatever the JSON is
        """What a path under ``/api/v1`` answers: ``get("/devices/lift-1")``."""
        __tracebackhide__ = True
        query = f"?{urlencode(params, doseq=True)}" if params else ""
        return self._called(lambda caller: caller.get(path + query))

    def post(self, path: str, body: object = None, *, actor: str = "test") -> Any:  # noqa: ANN401  # as above
        """Have something done, as a person: ``post(f"/alerts/{alert['id']}/ack", actor="anna")``."""
        __tracebackhide__ = True
        return self._called(lambda caller: caller.post(path, {} if body is None else body), actor)

    def alerts(self, **fields: object) -> list[Row]:
        """The alerts whose fields agree, the newest first, ended ones too: ``alerts(device="lift-1", live=True)``."""
        __tracebackhide__ = True
        return self._agreeing("/alerts", fields)

    def work_orders(self, **fields: object) -> list[Row]:
        """The work orders whose fields agree, the newest first: ``work_orders(template="lift-repair", open=True)``."""
        __tracebackhide__ = True
        return self._agreeing("/work-orders", fields)

    def situation(self, device: str | None = None) -> str:
        """What there is in the place of what was awaited, most often the reason: alerts, refusals, running ``for``s."""
        alerts = [_alert_line(one) for one in self.alerts()]
        refused = [
            f"{one['device'] or one['topic']}: {one['reason']}: {one['detail']}"
            for one in self.get("/quarantine")["items"]
        ]
        told = [_listed("alerts there are", alerts), _listed("messages refused", refused)]
        if device is not None:
            rules = self.get(f"/devices/{device}/rules")["rules"]
            told.append(
                _listed(f"on the way on {device}", [line for one in rules for line in _on_the_way(one)])
            )
        return "\n".join(told)

    def _agreeing(self, path: str, fields: Mapping[str, object]) -> list[Row]:
        __tracebackhide__ = True
        rows: list[Row] = self._called(lambda caller: caller.items(path))
        agreeing: list[Row] = []
        for row in rows:
            if agrees(row, fields):
                agreeing.append(row)  # noqa: PERF401  # a comprehension would show in the traceback of a failed test
        return agreeing

    def _called(self, ask: Callable[[Caller], Any], actor: str = "test") -> Any:  # noqa: ANN401  # as above
        __tracebackhide__ = True
        try:
            return ask(Caller(self.url, actor))
        except CallFailed as error:
            raise FacilityFailed(self.why_silent() or str(error).partition("; --url")[0]) from None


def agrees(row: Row, fields: Mapping[str, object]) -> bool:
    """Whether a record has these values; one that stands for another record is known by its id.

    Raises:
        FacilityFailed: such a record has no such field.
    """
    __tracebackhide__ = True
    for name, wanted in fields.items():
        if name not in row:
            raise FacilityFailed(unknown("field", name, row))
        found = row[name]
        if wanted != (found["id"] if isinstance(found, dict) and "id" in found else found):
            return False
    return True


def _alert_line(one: Row) -> str:
    ended = "" if one["live"] else f" ended ({one['ended_why']})"
    return f"{one['rule']} on {one['device']['id']}: level={one['level']} state={one['state']}{ended}"


def _on_the_way(rule: Row) -> list[str]:
    return [
        f"{rule['name']} {one['level']}: its condition is true, and has to be for {one['for_seconds']:g} s"
        for one in rule["levels"]
        if one["state"] == "pending"
    ]


def _listed(what: str, lines: list[str]) -> str:
    more = [f"… and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    return "\n    ".join([f"{what}:", *(lines[:SHOWN] or ["none"]), *more])
