"""Which fields of a payload are personal: as the device's profile declares them, else by their names."""

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeAlias

from gateway.codecs.decoder import compile_claim
from gateway.core.plan import Attribute, Kind, SitePlan
from gateway.core.values import PointType

TELLING: Final = frozenset(
    {
        "badge", "card", "credential", "email", "guard", "mail", "mobile", "name", "operator", "passwd", "password",
        "person", "phone", "pin", "secret", "token", "user", "username",
    }
)  # fmt: skip
"""Words in a field's name that speak of a person or a secret."""
_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_ENVELOPE: Final = frozenset({"ts", "id", "type", "device", "device_id", "site"})
_TAP: Final = frozenset({"tag", "url", "code", "how", "sent", "queued"})


def is_telling(name: str) -> bool:
    """Whether a field is named like personal data or a secret: ``card_no``, ``userName``, ``PIN``; not ``spinning``."""
    return any(word.lower().removesuffix("s") in TELLING for word in _WORD.findall(name))


class Names(NamedTuple):
    """What is known of the fields of one object."""

    declared: Mapping[str, Attribute | None] = {}
    """What may be there; None where it is declared without saying whether it is personal: then it is not."""
    deeper: Mapping[str, "Names"] = {}
    """What is known of the objects in it, by field; of any other only the names speak."""

    def personal(self, name: str) -> bool:
        """Whether a field is personal."""
        if name in self.declared:
            attribute = self.declared[name]
            return attribute is not None and attribute.personal
        return is_telling(name)

    def words(self, name: str) -> tuple[str, ...]:
        """The words of an enum: one of them has to stand in for another."""
        attribute = self.declared.get(name)
        return attribute.values if attribute is not None else ()

    def inner(self, name: str) -> "Names":
        """What is known of an object in a field."""
        return self.deeper.get(name, _BY_NAME)


_BY_NAME: Final = Names()

Channel: TypeAlias = Callable[[object], Names]
"""What is known of one item of a payload; asked with None, whatever may be in any."""


class NamesOf:
    """What is known of payloads, by topic.

    Args:
        plan: the site; None where only names speak.
    """

    def __init__(self, plan: SitePlan | None) -> None:
        self._prefix = f"{plan.topic_root}/{plan.site}/" if plan is not None else None
        kinds = {name: device.kind for name, device in plan.equipment.items()} if plan is not None else {}
        readings = {id(kind): _readings(kind) for kind in kinds.values()}
        events = {id(kind): _events(kind) for kind in kinds.values()}
        self._channels: dict[str, dict[str, Channel]] = {
            name: {"telemetry": readings[id(kind)], "event": events[id(kind)], "tap": _tap}
            for name, kind in kinds.items()
        }
        unique = {id(kind): kind for kind in kinds.values()}
        self._claims = [
            (compile_claim(pattern), readings[key]) for key, kind in unique.items() for pattern in kind.topics
        ]

    def topic(self, topic: str) -> Channel:
        """What is known of payloads on a topic."""
        if self._prefix is not None and topic.startswith(self._prefix):
            device, _, channel = topic[len(self._prefix) :].partition("/")
            return self._channels.get(device, {}).get(channel, _unknown)
        for pattern, channel_of in self._claims:
            if pattern.fullmatch(topic):
                return channel_of
        return _unknown


def _unknown(_item: object) -> Names:
    return _BY_NAME


def _tap(_item: object) -> Names:
    return _TAPS


def _readings(kind: Kind) -> Channel:
    points: dict[str, Attribute | None] = dict.fromkeys(kind.points)
    names = Names(dict.fromkeys(_ENVELOPE) | points, {"values": Names(points)})
    return lambda _item: names


def _events(kind: Kind) -> Channel:
    envelope: dict[str, Attribute | None] = dict.fromkeys(_ENVELOPE)
    by_type = {name: Names({**one.attributes, **envelope}) for name, one in kind.events.items()}
    everything = [one for event in kind.events.values() for one in event.attributes.values()]
    worst = {one.name: one for one in sorted(everything, key=lambda one: one.personal)}
    any_type = Names({**worst, **envelope})

    def names(item: object) -> Names:
        word = item.get("type") if isinstance(item, dict) else None
        return by_type.get(word, any_type) if isinstance(word, str) else any_type

    return names


_TAPS: Final = Names(
    {**dict.fromkeys(_ENVELOPE | _TAP), "guard": Attribute(name="guard", type=PointType.TEXT, personal=True)}
)
