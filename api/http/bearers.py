"""Whose phone it is: a guard's phone shows a token, of which only the hash is kept."""

import hashlib
import hmac
import secrets
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Header

from api.http.context import Asked, Context, Wish, Wished
from api.http.problems import Problem

PREFIX = "fgt_"
"""So that a token that went astray can be recognised as one of ours."""
BYTES = 32
"""Of randomness in a token."""


def new_token() -> tuple[str, str]:
    """A token, and its SHA-256."""
    token = PREFIX + secrets.token_urlsafe(BYTES)
    return token, hashed(token)


def hashed(token: str) -> str:
    """SHA-256 in hexadecimal. The token is random, so nothing slower is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def holder(asked: Context, token: str) -> str | None:
    """The guard with that token; None where nobody has it, or not any more."""
    wanted, known = hashed(token), asked.plan.patrol.guards
    found: str | None = None
    for name, guard in asked.gateway.patrol.guards.items():
        if (
            guard.token is not None
            and hmac.compare_digest(guard.token, wanted)
            and (not known or name in known)
        ):
            found = name
    return found


def shown_token(
    authorization: Annotated[
        str | None, Header(description="Bearer fgt_…: the token of the guard whose phone it is")
    ] = None,
) -> str | None:
    """The token of a request. Another scheme than Bearer is that of a proxy in front, and none of ours."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


Shown = Annotated[str | None, Depends(shown_token)]


def bearer(asked: Asked, token: Shown) -> str | None:
    """The guard whose token the request came with; None where it came with none. Raises :class:`Problem`."""
    if token is None:
        return None
    found = holder(asked, token)
    if found is None:
        words = "nobody has this token, or not any more; nothing was taken: have a new one given to the phone"
        raise Problem(401, words, {"WWW-Authenticate": "Bearer"})
    return found


Bearer = Annotated[str | None, Depends(bearer)]


def of_guard(wish: Wished, by: Bearer) -> Wish:
    """Who asks for what: the guard whose token it is, else who the request says it is."""
    return wish if by is None else replace(wish, actor=by)


GuardWished = Annotated[Wish, Depends(of_guard)]


def of_the_office(wish: Wished, by: Bearer) -> Wish:
    """Who asks for what no guard's phone may do. Raises :class:`Problem`."""
    if by is not None:
        raise Problem(
            403, f"this is the phone of {by}; tags and tokens are changed by those who run the site"
        )
    return wish


OfficeWished = Annotated[Wish, Depends(of_the_office)]


def check_own(by: str | None, guard: str) -> None:
    """A guard's phone speaks for its guard only. Raises :class:`Problem`."""
    if by is not None and by != guard:
        raise Problem(403, f"this is the phone of {by}; it does not speak for {guard}")
