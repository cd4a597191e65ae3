"""Replacing personal data in traffic, so that a recording may be handed on.

The same value becomes the same stand-in within one key, so repeats stay repeats; texts stay texts and numbers numbers, so
everything decodes to the same facts. Who does not have the key cannot find out by trying whose stand-in it is.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec.structs import replace

from gateway.core.inputs import Command, Rejection, Tap
from gateway.core.plan import SitePlan
from gateway.core.templates import HOLD_REASONS
from gateway.core.values import Message, Millis, Seal
from gateway.traffic.lines import Setup, TrafficInput
from gateway.traffic.payloads import parsed, written
from gateway.traffic.personal import Channel, Names, NamesOf, is_telling
from gateway.traffic.scraps import replace_values
from gateway.traffic.stand_ins import StandIns

_SPOKEN: Final = frozenset({"comment", "description", "note", "reason", "result", "text", "title", "why"})
"""Arguments of commands in which people write what they like."""
_PEOPLE: Final = frozenset({"actor", "assignee", "author", "by", "reporter"})
"""Arguments of commands that name somebody."""
_BY_VERB: Final[Mapping[str, str]] = {"duty.offer": "to", "guard.token": "sha256"}
"""Arguments that are personal in one verb only."""


class Mask:
    """Replaces personal data in inputs. Pure: the same key gives the same stand-ins.

    Args:
        plan: the site, whose profiles say which attributes are personal; None goes by names alone.
        key: a secret of 16 to 64 bytes; a new one for each recording.
        keep_guards: leave ids of guards as they are. Else rounds that are judged by named guards come out
            differently in a replay, since the site file does not know the stand-ins.

    Raises:
        ValueError: the key has another length.
    """

    def __init__(self, plan: SitePlan | None, key: bytes, *, keep_guards: bool = False) -> None:
        self._names_of = NamesOf(plan)
        self._stand_ins = StandIns(key)
        self._keep_guards = keep_guards
        self._guards = frozenset(plan.patrol.guards) if plan is not None else frozenset()
        self._devices = frozenset(plan.equipment) if plan is not None else frozenset()

    def line(self, _at: Millis, one: TrafficInput) -> TrafficInput:
        """The input without what is personal in it.

        What people wrote in commands goes as a whole, as do the words of a refusal, which quote what was refused. Of a site
        plan its digest is left: its texts name people, addresses and numbers.
        """
        match one:
            case Message():
                return self._message(one)
            case Tap():
                return self._tap(one)
            case Command():
                return self._command(one)
            case Rejection():
                return replace(one, detail="masked", payload=b"")
            case Setup():
                return replace(one, bundle=None)
        return one

    def _message(self, message: Message) -> Message:
        payload = self._payload(message.payload, self._names_of.topic(message.topic))
        seals: dict[str, Seal] | None = message.seals and {
            self._stand_ins.address(url): seal for url, seal in message.seals.items()
        }
        return replace(message, payload=payload, seals=seals)

    def _payload(self, payload: bytes, names: Channel) -> bytes:
        """Bytes that hold nothing personal stay as they are."""
        try:
            body, repeated = parsed(payload)
            items = body if isinstance(body, list) else [body]
            masked = [self._value(item, names(item)) for item in items]
            if masked == items and not repeated:
                return payload
            return written(masked if isinstance(body, list) else masked[0])
        except (ValueError, RecursionError):
            return self._looks_like(payload, names(None))

    def _value(self, value: object, names: Names) -> object:
        if isinstance(value, dict):
            inner = names.inner
            return {key: self._field(key, one, names, inner(key)) for key, one in value.items()}
        if isinstance(value, list):
            return [self._value(one, names) for one in value]
        return self._stand_ins.address(value) if isinstance(value, str) else value

    def _field(self, key: str, value: object, names: Names, below: Names) -> object:
        if not names.personal(key):
            return self._value(value, below)
        if key == "guard" and self._keep_guards:
            return value
        return self._hidden(value, names.words(key))

    def _hidden(self, value: object, words: tuple[str, ...] = ()) -> object:
        if isinstance(value, dict):
            return {key: self._hidden(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._hidden(one) for one in value]
        return words[0] if value in words else self._stand_ins.of(value)

    def _looks_like(self, payload: bytes, names: Names) -> bytes:
        """What cannot be read as JSON, value by value as far as any can be made out."""

        def named(name: str) -> bool:
            return names.personal(name) and not (name == "guard" and self._keep_guards)

        def other(written: str) -> str:
            return self._stand_ins.of_source(written.encode("latin-1").decode(errors="replace"))

        text = payload.decode("latin-1")
        masked = self._stand_ins.address(replace_values(text, named, other))
        return payload if masked == text else masked.encode("latin-1")

    def _tap(self, tap: Tap) -> Tap:
        return replace(
            tap,
            source=self._source(tap.source),
            url=tap.url and self._stand_ins.address(tap.url),
            guard=tap.guard and self._guard(tap.guard),
            by=tap.by and self._guard(tap.by),
        )

    def _command(self, command: Command) -> Command:
        target = command.target
        if command.verb.startswith("guard."):
            target = self._guard(target)
        elif command.verb == "source.report":
            target = self._source(target)
        args = {name: self._arg(command.verb, name, value) for name, value in command.args.items()}
        return replace(command, actor=self._person(command.actor), target=target, args=args)

    def _arg(self, verb: str, name: str, value: Any) -> Any:  # noqa: ANN401 - whatever was asked for
        if name in _SPOKEN:
            return value if name == "reason" and value in HOLD_REASONS else self._spoken(value)
        if name in _PEOPLE or is_telling(name) or _BY_VERB.get(verb) == name:
            return self._deep(value, self._guard if name == "guard" else self._person)
        return self._value(value, Names())

    def _spoken(self, value: object) -> object:
        """Words go, a figure that answers a step of a checklist stays."""
        return self._deep(value, self._stand_ins.text)

    def _deep(self, value: object, hide: Callable[[str], str]) -> object:
        if isinstance(value, dict):
            return {key: self._deep(one, hide) for key, one in value.items()}
        if isinstance(value, list):
            return [self._deep(one, hide) for one in value]
        return hide(value) if isinstance(value, str) else value

    def _guard(self, guard: str) -> str:
        return guard if self._keep_guards else self._stand_ins.text(guard)

    def _person(self, name: str) -> str:
        return name if self._keep_guards and name in self._guards else self._stand_ins.text(name)

    def _source(self, source: str) -> str:
        """A phone is its owner's; a reader belongs to the site."""
        return source if source in self._devices else self._stand_ins.text(source)
