"""Guards, checkpoints, routes and flags as they are named in answers; what the site no longer has goes by its id."""

from collections.abc import Iterable, Mapping
from typing import Final

from pydantic import BaseModel, Field

from api.http.context import Context
from api.http.device_views import TitleView, title_view
from gateway.core.patrol.flags import FLAGS
from gateway.core.values import Title
from gateway.reports.words import KINDS, STOP_WORDS


class NamedView(BaseModel):
    """Somebody or something with its title."""

    id: str
    title: TitleView


class SpotView(NamedView):
    """A checkpoint and where it is."""

    building: str | None
    floor: str | None
    place: str | None


class FlagView(BaseModel):
    """What stands against a tap or beside it."""

    flag: str
    title: TitleView
    counts: bool = Field(description="whether a tap with it is evidence all the same")


FLAG_VIEWS: Final[Mapping[str, FlagView]] = {
    name: FlagView(flag=name, title=title_view(flag.title), counts=flag.counts)
    for name, flag in FLAGS.items()
}
EXTRA: Final = Title("Beside the round", "额外打卡")


def flag_views(flags: Iterable[str]) -> list[FlagView]:
    """Flags with their titles."""
    return [FLAG_VIEWS[name] for name in flags]


def odd_title(kind: str) -> TitleView:
    """What an oddity of a round is called."""
    if kind in FLAGS:
        return title_view(FLAGS[kind].title)
    return title_view(KINDS.get(kind, Title(kind, kind)))


def outcome_title(word: str) -> TitleView:
    """What became of a stop, in words."""
    return title_view(EXTRA if word == "extra" else STOP_WORDS.get(word, Title(word, word)))


def guard_named(asked: Context, guard: str | None) -> NamedView | None:
    """A guard."""
    return None if guard is None else _named(guard, asked.plan.patrol.guards.get(guard))


def route_named(asked: Context, route: str) -> NamedView:
    """A route."""
    return _named(route, asked.plan.routes.get(route))


def _named(name: str, found: object) -> NamedView:
    title = getattr(found, "title", None) or Title(name, name)
    return NamedView(id=name, title=title_view(title))


def spot(asked: Context, checkpoint: str) -> SpotView:
    """A checkpoint."""
    found = asked.plan.checkpoints.get(checkpoint)
    if found is None:
        unnamed = TitleView(en=checkpoint, zh=checkpoint)
        return SpotView(id=checkpoint, title=unnamed, building=None, floor=None, place=None)
    return SpotView(
        id=checkpoint,
        title=title_view(found.title),
        building=found.building,
        floor=found.floor,
        place=found.place,
    )
