"""Tags on assets: whose tag was read."""

from gateway.core.plan import SitePlan


def normal(tag: str) -> str:
    """The id of a tag as it is compared: upper case, without separators.

    Example:
        >>> normal("04:a2:2b:1c-3d 5e 80")
        '04A22B1C3D5E80'
    """
    return "".join(letter for letter in tag if letter.isalnum()).upper()


def assets(plan: SitePlan) -> dict[str, str]:
    """The device that each tag is on."""
    found: dict[str, str] = {}
    for name, device in plan.devices.items():
        for tag in device.tags:
            found.setdefault(normal(tag), name)
    return found
