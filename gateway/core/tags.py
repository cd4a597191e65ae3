"""Whose tag was read, and which checkpoint a label names."""

from gateway.core.ids import derive_id
from gateway.core.patrol.routes import Tag
from gateway.core.plan import SitePlan

CODE_LENGTH = 8


def normal(tag: str) -> str:
    """The id of a tag as it is compared: upper case, without separators.

    Example:
        >>> normal("04:a2:2b:1c-3d 5e 80")
        '04A22B1C3D5E80'
    """
    kept = tag if tag.isalnum() else "".join(letter for letter in tag if letter.isalnum())
    return kept.upper()


def assets(plan: SitePlan) -> dict[str, str]:
    """The device that each tag is on."""
    found: dict[str, str] = {}
    for name, device in plan.devices.items():
        for tag in device.tags:
            found.setdefault(normal(tag), name)
    return found


def index(plan: SitePlan) -> dict[str, tuple[tuple[str, Tag], ...]]:
    """The checkpoints of each tag as the site file has them, with its times there."""
    found: dict[str, tuple[tuple[str, Tag], ...]] = {}
    for name, checkpoint in plan.checkpoints.items():
        for tag in checkpoint.tags:
            found[tag.id] = (*found.get(tag.id, ()), (name, tag))
    return found


def code(site: str, checkpoint: str) -> str:
    """What stands on a checkpoint's label, to be scanned or typed: no secret, so the weakest evidence.

    Example:
        >>> code("riverside", "t1-pump")
        'ZWN23NWT'
    """
    return derive_id("cp", site, checkpoint)[3 : 3 + CODE_LENGTH].upper()


def codes(plan: SitePlan) -> dict[str, str]:
    """The checkpoint of each code."""
    return {code(plan.site, name): name for name in plan.checkpoints}
