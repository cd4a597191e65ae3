"""Guards, posts and calls for help as they are shown."""

from pydantic import BaseModel, Field

from api.http.context import Context
from api.http.device_views import TitleView, title_view
from api.http.patrol_names import NamedView, SpotView, guard_named, spot
from gateway.core.patrol.memory import Duty, GuardMemory
from gateway.core.patrol.routes import Post
from gateway.core.state import Alert, AlertState
from gateway.core.values import Title


class GuardView(NamedView):
    """A guard, and when there was a sign of them."""

    version: int
    team: str | None
    seen_at: str | None = Field(description="the last tap or check-in, by its own time")
    checkpoint: SpotView | None = Field(description="where they tapped last")
    source: str | None = Field(description="the phone or reader last used")
    has_token: bool
    token_at: str | None = Field(description="when the token was given or taken back")


class TokenView(BaseModel):
    """A token. It is shown this once; what is kept of it is a hash."""

    token: str
    guard: str


class CallView(BaseModel):
    """A call for help, as the phone that made it needs to know it."""

    alert: str | None = Field(description="null for a test, of which nobody is told")
    guard: str
    test: bool
    state: str = Field(
        description="delivered, seen (somebody with a name has acknowledged it), or ended; test"
    )
    called_at: str | None = Field(description="when the alert was raised")
    seen_by: str | None
    seen_at: str | None
    ended_at: str | None
    ended_by: str | None


class OfferView(BaseModel):
    """A hand-over under way."""

    to: NamedView
    since: str
    note: str


class OpenView(BaseModel):
    """What the incoming guard has to confirm."""

    alerts: list[str]
    orders: list[str]
    keys: list[str]


class PostView(NamedView):
    """A post and who is on duty there."""

    version: int
    team: str | None
    keys: list[str]
    guard: NamedView | None = Field(
        description="who is on duty; the outgoing guard until the hand-over is confirmed"
    )
    since: str | None
    offer: OfferView | None
    open: OpenView
    allowed: list[str]


def guard_view(asked: Context, name: str) -> GuardView:
    """A guard."""
    known = asked.gateway.patrol.guards.get(name) or GuardMemory()
    guard = asked.plan.patrol.guards.get(name)
    return GuardView(
        id=name,
        title=title_view(Title(name, name) if guard is None else guard.title),
        version=known.version,
        team=None if guard is None else guard.team,
        seen_at=asked.maybe(known.seen_at),
        checkpoint=None if known.checkpoint is None else spot(asked, known.checkpoint),
        source=known.source,
        has_token=known.token is not None,
        token_at=asked.maybe(known.token_at),
    )


def call_view(asked: Context, alert: Alert) -> CallView:
    """A call for help that was raised as an alert."""
    ended = alert.ended_at is not None
    seen = alert.acked_at is not None and alert.state is not AlertState.UNACKNOWLEDGED
    return CallView(
        alert=alert.id,
        guard=alert.device,
        test=False,
        state="ended" if ended else "seen" if seen else "delivered",
        called_at=asked.written(alert.raised_at),
        seen_by=alert.acked_by if seen or ended else None,
        seen_at=asked.maybe(alert.acked_at) if seen or ended else None,
        ended_at=asked.maybe(alert.ended_at),
        ended_by=alert.reset_by,
    )


def tested_call_view(guard: str) -> CallView:
    """A call that was a test."""
    return CallView(
        alert=None,
        guard=guard,
        test=True,
        state="test",
        called_at=None,
        seen_by=None,
        seen_at=None,
        ended_at=None,
        ended_by=None,
    )


def post_view(asked: Context, post: Post) -> PostView:
    """A post."""
    duty = asked.gateway.patrol.posts.get(post.id) or Duty()
    found = asked.gateway.open_at(post)
    offer = duty.offer
    return PostView(
        id=post.id,
        title=title_view(post.title),
        version=duty.version,
        team=post.team,
        keys=list(post.keys),
        guard=guard_named(asked, duty.guard),
        since=asked.maybe(duty.since),
        offer=None
        if offer is None
        else OfferView(to=_named(asked, offer.to), since=asked.written(offer.since), note=offer.note),
        open=OpenView(alerts=list(found.alerts), orders=list(found.orders), keys=list(found.keys)),
        allowed=_allowed(duty),
    )


def _named(asked: Context, guard: str) -> NamedView:
    return guard_named(asked, guard) or NamedView(id=guard, title=TitleView(en=guard, zh=guard))


def _allowed(duty: Duty) -> list[str]:
    if duty.guard is None:
        return ["begin"]
    return ["offer"] if duty.offer is None else ["confirm", "offer", "withdraw"]
