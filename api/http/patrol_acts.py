"""Acts on patrol: one way for every verb, and what is answered where it cannot be done."""

from pydantic import BaseModel

from api.http.context import Wish, etag
from api.http.problems import Problem
from gateway.core.state import Reply
from gateway.core.values import Json


async def act(wish: Wish, verb: str, target: str, args: dict[str, Json], expect: int | None = None) -> Reply:
    """Have it done, once; the reply says how it went. Raises :class:`Problem` where there is no such thing."""
    reply = await wish.submit(verb, target, args, expect)
    if reply.status == "not_found":
        raise Problem(404, reply.detail, allowed=reply.allowed)
    return reply


def heed_version(wish: Wish, version: int) -> None:
    """Refuse what was asked of an older version than there is. Raises :class:`Problem`."""
    if wish.seen is not None and wish.seen != version:
        words = f"somebody else changed it: you saw version {wish.seen}, it is now at {version}"
        raise Problem(409, words, etag(version), version=version)


def conflict(reply: Reply, current: BaseModel | None = None) -> Problem:
    """The record is not as the caller thought: how it is, and what is allowed."""
    more = {} if current is None else {"current": current.model_dump(mode="json")}
    headers = None if reply.version is None else etag(reply.version)
    return Problem(409, reply.detail, headers, version=reply.version, allowed=reply.allowed, **more)
