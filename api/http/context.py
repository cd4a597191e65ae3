"""What a route finds beside its parameters: the gateway, the time, and who asks for what."""

import asyncio
import hashlib
import re
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import msgspec
from fastapi import Depends, Header, Request
from pydantic import BaseModel, ConfigDict, Field

from api.http.gateway_port import GatewayPort
from api.http.instants import written
from api.http.problems import Problem, wrong
from api.http.texts import INTEGER_MOST, header_text
from gateway.core.plan import SitePlan
from gateway.core.state import Reply
from gateway.core.values import Json, Millis
from gateway.jobs import Order

PATIENCE = 20.0
"""Seconds a command may take."""

Wanted: TypeAlias = tuple[str, str, dict[str, Json], int | None]
"""Verb, target, arguments, and the version the caller saw."""

_KEY = re.compile(r"[\x21-\x7e]{1,128}")
_TAG = re.compile(r'(?:W/)?"?(\d{1,15})"?')


@dataclass(frozen=True, slots=True)
class Context:
    """The gateway as a request sees it: one plan and one time for the whole of it."""

    gateway: GatewayPort
    plan: SitePlan
    now: Millis

    def written(self, moment: Millis) -> str:
        """A moment in the site's time zone."""
        return written(moment, self.plan.timezone)

    def maybe(self, moment: Millis | None) -> str | None:
        """The same for a moment that may not have come."""
        return None if moment is None else written(moment, self.plan.timezone)


def context(request: Request) -> Context:
    """The context of a request."""
    gateway: GatewayPort = request.app.state.gateway
    return Context(gateway, gateway.plan, time.time_ns() // 1_000_000)


Asked = Annotated[Context, Depends(context)]


class Change(BaseModel):
    """The body of a request that changes a record."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(
        None,
        ge=1,
        le=INTEGER_MOST,
        strict=True,
        description="the version you saw; the change is refused when it is no longer the newest",
    )


@dataclass(frozen=True, slots=True)
class Wish:
    """Who asks, under which key, and which version of the record they saw."""

    asked: Context
    actor: str
    key: str | None
    seen: int | None

    def expected(self, body: Change | None) -> int | None:
        """The version the caller saw, from the body or from If-Match. Raises :class:`Problem` when they differ."""
        version = None if body is None else body.version
        if version is not None and self.seen is not None and version != self.seen:
            raise wrong(
                "body.version", f"version is {version}, but If-Match says {self.seen}; give one of them"
            )
        return self.seen if version is None else version

    async def submit(self, verb: str, target: str, args: dict[str, Json], expect: int | None = None) -> Reply:
        """Have it done, once. Raises :class:`Problem` when it is refused out of hand."""
        (reply,) = await self.submit_many([(verb, target, args, expect)])
        if reply.status == "refused":
            raise Problem(422, reply.detail, allowed=reply.allowed)
        return reply

    async def submit_many(self, wanted: Sequence[Wanted]) -> list[Reply]:
        """Have several things done, each once, all in one turn. Raises :class:`Problem` when no answer comes."""
        orders = [
            Order(verb, target, args, self.actor, self._command_id(verb, target, args, expect), expect)
            for verb, target, args, expect in wanted
        ]
        try:
            async with asyncio.timeout(PATIENCE):
                return await self.asked.gateway.submit_many(orders)
        except TimeoutError:
            words = "no answer in time; it may still be carried out: ask again with the same Idempotency-Key"
            raise Problem(503, words, {"Retry-After": "5"}) from None

    def _command_id(self, verb: str, target: str, args: dict[str, Json], expect: int | None) -> str:
        """The same key with the same request is the same command; the same key on another request is not."""
        if self.key is None:
            return str(uuid.uuid4())
        request = msgspec.json.encode((self.key, self.actor, verb, target, args, expect), order="sorted")
        return f"key-{hashlib.blake2b(request, digest_size=16).hexdigest()}"


def wish(
    asked: Asked,
    x_actor: Annotated[str, Header(description="who asks, until there is a log-in")] = "operator",
    idempotency_key: Annotated[
        str | None, Header(description="a request repeated with the same key is carried out once")
    ] = None,
    if_match: Annotated[
        str | None, Header(description='the version you saw, as its ETag: "3"; or * for any')
    ] = None,
) -> Wish:
    """Who asks for what."""
    if idempotency_key is not None and not _KEY.fullmatch(idempotency_key):
        raise wrong("header.Idempotency-Key", "an Idempotency-Key is 1 to 128 visible ASCII characters")
    seen = None
    if if_match is not None and if_match.strip() != "*":
        match = _TAG.fullmatch(if_match.strip())
        if match is None:
            words = f'found {ascii(if_match)[:60]}; If-Match is a version in quotes, such as "3", or *'
            raise wrong("header.If-Match", words)
        seen = int(match[1])
    return Wish(asked, header_text("X-Actor", x_actor), idempotency_key, seen)


Wished = Annotated[Wish, Depends(wish)]


def etag(version: int) -> dict[str, str]:
    """The headers that name a record's version."""
    return {"ETag": f'"{version}"'}
