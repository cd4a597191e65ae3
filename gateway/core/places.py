"""Where things are: buildings, floors and checkpoints, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.core.patrol.routes import Tag
from gateway.core.values import Title


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """One floor of a building."""

    id: str
    title: Title
    picture: str | None = None
    """Path of the floor plan, relative to the site file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """One building of the site; ``floors`` from the lowest up, as the owner listed them."""

    id: str
    title: Title
    floors: Mapping[str, Floor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A place a guard proves to have been at."""

    id: str
    title: Title
    tags: tuple[Tag, ...] = ()
    """Those of the site file, with their times: after a swap the old one stays on record."""
    building: str | None = None
    floor: str | None = None
    place: str | None = None
    important: bool = False
    """What is missed here is grave."""
