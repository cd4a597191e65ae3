"""The whole history of a record, a page at a time."""

from api.http.alert_views import HappeningView, happening_view
from api.http.context import Context
from api.http.paging import Listing, Paged, cursor_of
from gateway.adapters.sql import records


async def history_page(asked: Context, subject: str, wanted: Listing) -> Paged[HappeningView]:
    """What happened to an alert or work order, the newest first."""
    before, limit = wanted.before, wanted.limit
    found = await asked.gateway.store.read(
        lambda connection: records.history(connection, subject, limit + 1, before)
    )
    shown = found[-limit:][::-1]
    following = cursor_of((shown[-1].seq, "")) if len(found) > limit else None
    return Paged(items=[happening_view(asked, one) for one in shown], next=following)
