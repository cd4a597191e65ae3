"""A record that is not as the caller thought."""

from api.http.alert_views import AlertDetail
from api.http.context import etag
from api.http.order_views import OrderDetail
from api.http.problems import Problem

CHANGES_MOST = 20
"""Entries of the history that are sent along."""


def moved_on(found: AlertDetail | OrderDetail, detail: str, seen: int | None) -> Problem:
    """How the record is now, what is allowed, and what happened to it since the version the caller saw."""
    since = 1 if seen is None else min(max(1, found.version - seen), CHANGES_MOST)
    return Problem(
        409,
        detail,
        etag(found.version),
        version=found.version,
        allowed=found.allowed,
        changes=[one.model_dump(mode="json") for one in found.history[-since:]],
        current=found.model_dump(mode="json", exclude={"history"}),
    )
