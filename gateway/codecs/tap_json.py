"""A patrol reader's taps: ``{"ts": …, "id": "uuid", "tag": "04A2…", "guard": "g-07"}``, one or a stored list."""

from collections.abc import Sequence

from gateway.codecs.native_json import Origin, decode_event_items
from gateway.codecs.scan import Fault, parse_json, show
from gateway.core.inputs import Fact


def decode_tap(origin: Origin) -> Sequence[Fact]:
    """Each tap as an event of type ``tap``, idempotent by its id; it must carry a tag or a tag's URL."""
    body = parse_json(origin.message.payload)
    if isinstance(body, Fault):
        return (origin.reject(body),)
    facts: list[Fact] = []
    for item in body if isinstance(body, list) else [body]:
        if not isinstance(item, dict):
            facts.append(origin.reject(Fault("wrong_type", f"expected a tap object, found {show(item)}")))
        elif not isinstance(item.get("id"), str):
            facts.append(
                origin.reject(Fault("bad_id", "a tap needs its own id, so that it can be sent again"))
            )
        elif not isinstance(item.get("tag"), str) and not isinstance(item.get("url"), str):
            facts.append(origin.reject(Fault("wrong_type", "a tap needs a tag or the tag's url")))
        else:
            facts.extend(decode_event_items(origin, [{**item, "type": "tap"}]))
    return facts or (origin.reject(Fault("empty", "an empty list")),)
