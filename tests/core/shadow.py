"""A store of the least a store has to do: so that a step can be held to what it says has changed."""

from typing import Any

import msgspec

from gateway.core.effects import Effects
from gateway.core.order_state import WorkOrder
from gateway.core.patrol.memory import PatrolState
from gateway.core.state import Alert, AlertState, DeviceState, Scalars, State
from gateway.core.values import Millis


class Shadow:
    """What a store would hold that writes only what a step says has changed."""

    def __init__(self) -> None:
        self._scalars = msgspec.msgpack.encode(Scalars())
        self._now: Millis = 0
        self._devices: dict[str, bytes] = {}
        self._alerts: dict[str, bytes] = {}
        self._orders: dict[str, bytes] = {}
        self._patrol: dict[tuple[str, str], bytes] = {}

    def commit(self, effects: Effects, state: State) -> None:
        encode = msgspec.msgpack.encode
        self._now = state.scalars.now
        if effects.scalars:
            self._scalars = encode(state.scalars)
        self._devices |= {
            name: encode(state.devices[name]) for name in effects.devices if name in state.devices
        }
        self._alerts |= {name: encode(alert) for name, alert in effects.alerts.items()}
        self._orders |= {name: encode(order) for name, order in effects.orders.items()}
        for name in effects.forgotten:
            del self._orders[name]
        changed = {("taps", name) for name in effects.taps} | {("rounds", name) for name in effects.rounds}
        for kind, name in changed | effects.patrol | {("known", name) for name in effects.taps}:
            one = getattr(state.patrol, kind).get(name)
            if one is None:
                self._patrol.pop((kind, name), None)
            else:
                self._patrol[kind, name] = encode(one)

    def load(self) -> State:
        decode = msgspec.msgpack.decode
        scalars = decode(self._scalars, type=Scalars)
        scalars.now = self._now
        alerts = {name: decode(body, type=Alert) for name, body in sorted(self._alerts.items())}
        return State(
            scalars,
            {name: decode(body, type=DeviceState) for name, body in self._devices.items()},
            {name: alert for name, alert in alerts.items() if alert.state is not AlertState.NORMAL},
            {name: decode(body, type=WorkOrder) for name, body in sorted(self._orders.items())},
            self._load_patrol(),
        )

    def _load_patrol(self) -> PatrolState:
        found: dict[str, dict[str, Any]] = {}
        for (kind, name), body in sorted(self._patrol.items()):
            found.setdefault(kind, {})[name] = msgspec.msgpack.decode(body)
        patrol = msgspec.convert(found, PatrolState)
        patrol.taps = dict(sorted(patrol.taps.items(), key=lambda item: (item[1].received, item[0])))
        patrol.known = dict(sorted(patrol.known.items(), key=lambda item: (item[1][0], item[0])))
        return patrol
