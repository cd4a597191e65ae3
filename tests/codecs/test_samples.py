"""Every captured payload beside the shipped profiles decodes to what stands beside it."""

import json
from typing import Any

import msgspec
import pytest

import device_profiles
from gateway.codecs.decoder import Decoder
from gateway.codecs.reasons import REASONS
from gateway.core.inputs import Event, Rejection, Status, Tap, Telemetry
from gateway.core.values import Message
from gateway.site import SiteBundle, build_plan
from gateway.site.bundle import shipped_name
from gateway.site.document import parse


def samples() -> list[Any]:
    found: list[Any] = []
    for name in device_profiles.available():
        data: Any = parse(name, device_profiles.samples_path(name).read_text("utf-8")).data
        found.extend(pytest.param(data, one, id=f"{name}: {one['name']}") for one in data["samples"])
    return found


def decoder_for(profile: str, device: str) -> Decoder:
    text = device_profiles.profile_path(profile).read_text("utf-8")
    orders: dict[str, Any] = {
        word: {} for rule in _rules(text) for word in rule.get("work_order", {}).values()
    }
    site = {
        "site": "s",
        "timezone": "UTC",
        "devices": [{"id": device, "profile": profile}],
        "work_orders": orders,
    }
    return Decoder(
        build_plan(SiteBundle("site.yaml", {"site.yaml": json.dumps(site), shipped_name(profile): text}))
    )


def _rules(text: str) -> list[dict[str, Any]]:
    data: Any = parse("profile", text).data
    return list(data["rules"].values())


def told(fact: object, received: int) -> dict[str, Any]:
    """A fact as the samples write it."""
    match fact:
        case Telemetry():
            return {"telemetry": _when(fact.ts, received) | {"values": fact.values}}
        case Event():
            body: dict[str, Any] = _when(fact.ts, received) | {"type": fact.type}
            own = {} if fact.key.startswith(f"{fact.type}@") else {"key": fact.key}
            return {"event": body | own | {"attributes": fact.attributes}}
        case Status():
            return {"status": {"online": fact.online}}
        case Tap():
            said: dict[str, Any] = msgspec.to_builtins(fact)
            for name in (
                "at",
                "source",
                "ts",
                "seal",
            ):  # what an address proves is a matter of the site's keys
                said.pop(name, None)
            return {"tap": _when(fact.ts, received) | said}
        case _:
            raise AssertionError(fact)


def _when(ts: int, received: int) -> dict[str, int]:
    return {} if ts == received else {"ts": ts}


@pytest.mark.parametrize(("file", "sample"), samples())
def test_a_captured_payload_decodes_to_what_stands_beside_it(
    file: dict[str, Any], sample: dict[str, Any]
) -> None:
    payload = bytes.fromhex(sample["hex"]) if "hex" in sample else sample["payload"].encode()
    topic = f"facility/s/{file['device']}/{sample['topic']}"
    retained = sample.get("retained", False)
    facts = decoder_for(file["profile"], file["device"]).decode(
        Message(topic, payload, retained), file["received"]
    )
    taken = [fact for fact in facts if not isinstance(fact, Rejection)]
    expected = [_filled(fact) for fact in sample["facts"]]
    assert [told(fact, file["received"]) for fact in taken] == expected
    refused = [fact.reason for fact in facts if isinstance(fact, Rejection)]
    assert refused == sample.get("rejected", [])
    assert set(refused) <= set(REASONS)
    assert all(fact.retained == retained for fact in taken)


def _filled(fact: dict[str, Any]) -> dict[str, Any]:
    if "event" in fact:
        return {"event": {"attributes": {}} | fact["event"]}
    return fact
