"""Where things are and where guards walk: buildings, floors, checkpoints and patrol routes, as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    tags: tuple[str, ...]
    """Tag ids in upper-case hexadecimal without separators. More than one while a tag is being replaced."""
    building: str | None = None
    floor: str | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Checkpoints to be visited on one round."""

    id: str
    title: Title
    checkpoints: tuple[str, ...]
    order: str = "strict"
    """``strict`` as listed, ``any`` order, or ``random``: drawn anew for each round."""
    reader: str | None = None
    """The device that taps on this route, where one is tied to it."""
