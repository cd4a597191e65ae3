"""What a step can do, and which fields go with it."""

from collections.abc import Mapping
from types import MappingProxyType

OF_STEPS = ("at", "device", "expect")
"""What any step may have."""

ACTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "values": ("ago", "retained", "once"),
        "ramp": ("over", "every"),
        "event": ("with", "id", "ago", "retained", "times", "every"),
        "silence": (),
        "status": ("retained",),
        "tap": ("reader", "phone", "ago", "skew", "queued", "token"),
        "taps": ("reader", "phone", "ago", "skew", "queued", "token"),
        "act": ("rule", "order", "round", "tap", "target", "by", "with", "seen"),
        "clock": (),
        "restart": (),
        "link": (),
        "configure": (),
        "raw": ("topic", "channel", "retained"),
    }
)
"""Each action with the fields that go with it."""

OF_TAPS = ("tag", "url", "code", "checkpoint", "label", "seal", "guard", "id", "how", "ago")
"""The fields of one tap. ``checkpoint`` stands for the tag there, ``label`` for the code on the label there,
``seal`` for the address of a secure tag."""

OF_SEALS = ("uid", "counter", "epoch", "tamper", "verdict")
"""What a secure tag says of itself. ``uid`` may be left out beside a ``checkpoint``."""

CHANNELS = ("telemetry", "event", "status", "tap")


def action_of(step: Mapping[str, object]) -> list[str]:
    """The actions a step names; those that are fields of an ``act`` there are not meant."""
    found = [name for name in ACTIONS if name in step]
    return [name for name in found if name not in ACTIONS["act"]] if "act" in found else found
