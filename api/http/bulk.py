"""One act on many records: carried out in one turn, each judged by itself and answered by itself."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.http.context import Wish
from api.http.problems import wrong
from api.http.texts import INTEGER_MOST, Id
from gateway.core.state import Reply
from gateway.core.values import Json

BULK_MOST = 500
"""Records one request may name."""

Version = Annotated[int, Field(ge=1, le=INTEGER_MOST, strict=True)]


class Bulk(BaseModel):
    """Which records; what is done to them, and how, stands beside it."""

    model_config = ConfigDict(extra="forbid")

    ids: list[Id] = Field(min_length=1, max_length=BULK_MOST, examples=[["al-degkyuswwp5z2atq"]])
    versions: dict[Id, Version] = Field(
        {}, max_length=BULK_MOST, description="by id, the version you saw; others are taken as they are"
    )

    def args(self) -> dict[str, Json]:
        """What the act needs, as it was given."""
        return self.model_dump(mode="json", exclude_unset=True, exclude={"verb", "ids", "versions"})


class BulkItem(BaseModel):
    """How it went with one record."""

    id: str
    status: Literal["done", "conflict", "refused", "not_found"]
    detail: str = Field(description="why not; empty when it was done")
    allowed: list[str] = Field(description="what would be allowed now")
    version: int | None = Field(description="of the record as it is now")


class BulkView(BaseModel):
    """How it went: what was refused for one record holds up no other."""

    done: int = Field(description="how many were carried out")
    results: list[BulkItem] = Field(description="in the order of `ids`")


class Ended(BaseModel):
    """A record that is on file and can no longer be changed."""

    version: int
    why: str


async def submit_bulk(wish: Wish, verb: str, body: Bulk) -> list[Reply]:
    """Have it done to each record once, in the order they were named. Raises :class:`Problem`."""
    if wish.seen is not None:
        raise wrong("header.If-Match", "If-Match is one version; give `versions` by id for many records")
    stray = sorted(set(body.versions) - set(body.ids))
    if stray:
        raise wrong("body.versions", f"{stray[0]} is not among the ids")
    args = body.args()
    wanted = [(verb, one, args, body.versions.get(one)) for one in dict.fromkeys(body.ids)]
    return await wish.submit_many(wanted)


def bulk_view(ids: list[str], replies: list[Reply], ended: Mapping[str, Ended]) -> BulkView:
    """The answers by record; one that has ended is a conflict that says so, as it is where it is named alone."""
    results = []
    for name, reply in zip(dict.fromkeys(ids), replies, strict=True):
        past = ended.get(name) if reply.status == "not_found" else None
        results.append(
            BulkItem(
                id=name,
                status="conflict" if past else reply.status,
                detail=past.why if past else reply.detail,
                allowed=reply.allowed,
                version=past.version if past else reply.version,
            )
        )
    return BulkView(done=sum(one.status == "done" for one in results), results=results)
