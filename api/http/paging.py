"""Pages: ``limit`` and an opaque ``cursor`` that says where the last page ended."""

import base64
import binascii
from typing import Annotated, Generic, TypeVar

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from api.http.problems import wrong
from gateway.adapters.sql.records import Key

T = TypeVar("T")

_KEY = msgspec.json.Decoder(tuple[Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)], str])


class Listing(BaseModel):
    """The query of a list. Parameters it does not know are refused."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(50, ge=1, le=500, description="entries on a page at the most")
    cursor: str | None = Field(None, max_length=400, description="`next` of the page before")

    @property
    def after(self) -> Key | None:
        """Where the page before ended. Raises :class:`Problem` for a cursor that is none of ours."""
        return None if self.cursor is None else read_cursor(self.cursor)

    @property
    def before(self) -> int | None:
        """The same for lists that are ordered by number."""
        after = self.after
        return None if after is None else after[0]


class Paged(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next: str | None = Field(None, description="give it as `cursor` for the next page; null at the end")


def cursor_of(key: Key | None) -> str | None:
    """A key as a cursor."""
    if key is None:
        return None
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def read_cursor(text: str) -> Key:
    """The key of a cursor. Raises :class:`Problem`."""
    try:
        raw = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return _KEY.decode(raw)
    except (binascii.Error, UnicodeError, msgspec.DecodeError, RecursionError):
        raise wrong("query.cursor", "not a cursor; give `next` of the page before, as it was") from None
