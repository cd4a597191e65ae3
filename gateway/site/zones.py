"""Time zones from the pinned ``tzdata`` package, so that two machines reckon the same whatever files they have."""

from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from gateway.errors import SiteError
from gateway.site.problems import unknown


@cache
def names() -> frozenset[str]:
    """The IANA names there are."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text("utf-8").split())


@cache
def zone(name: str) -> ZoneInfo:
    """The time zone of this IANA name, the same object each time.

    Raises:
        SiteError: there is none of this name.
    """
    if name not in names():
        near = unknown("time zone", name, sorted(names())).partition(" (allowed")[0]
        raise SiteError(f"{near} (an IANA name is needed, such as Asia/Shanghai or Europe/Berlin)")
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)
