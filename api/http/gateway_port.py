"""What the HTTP face needs of the gateway; :class:`gateway.gateway.Gateway` has it."""

from collections.abc import Sequence
from typing import Protocol

from gateway.adapters.attachments import Attachments
from gateway.adapters.sql.store import Store
from gateway.alert_meters import AlertCounts, Standing
from gateway.core.patrol.duty import Open
from gateway.core.patrol.memory import PatrolState
from gateway.core.patrol.routes import Post
from gateway.core.plan import SitePlan
from gateway.core.state import Reply
from gateway.core.values import Seal
from gateway.feed import Feed
from gateway.jobs import Order
from gateway.patrol_meters import TapCounts
from gateway.ports import Health, TelemetryStore
from gateway.uploads import Taken, TapUpload


class Desk(Protocol):
    """Where people's wishes go."""

    async def submit_many(self, orders: Sequence[Order]) -> list[Reply]:
        """Have commands carried out and committed in one turn. Raises :class:`gateway.errors.StoreError`."""

    async def take_taps(self, upload: TapUpload, items: Sequence[object]) -> list[Taken]:
        """Have the next items of an upload taken and committed. Raises :class:`gateway.errors.StoreError`."""

    async def reload(self) -> SitePlan:
        """Read the site again. Raises :class:`gateway.errors.SiteError` or :class:`gateway.errors.StoreError`."""

    async def retry(self, ids: Sequence[int]) -> dict[int, str]:
        """Take quarantined payloads again: ``accepted``, or why not."""


class GatewayPort(Desk, Protocol):
    """A running gateway."""

    @property
    def plan(self) -> SitePlan:
        """The site in force."""

    @property
    def store(self) -> Store:
        """The records."""

    @property
    def telemetry(self) -> TelemetryStore:
        """The readings."""

    @property
    def attachments(self) -> Attachments:
        """The files of work orders."""

    @property
    def feed(self) -> Feed:
        """What is committed, as it happens."""

    @property
    def patrol(self) -> PatrolState:
        """What is remembered of patrol, as it stands; to be read in the loop's thread, and never changed."""

    def read_tag(self, url: str) -> Seal:
        """What the address of a tag proves, without taking it for a tap."""

    def open_at(self, post: Post) -> Open:
        """What belongs to a hand-over of the post now."""

    def health(self) -> dict[str, Health]:
        """Each part by name."""

    def meters(self) -> dict[str, int | float]:
        """Counters and levels."""

    def alert_meters(self) -> tuple[AlertCounts, Standing]:
        """What was announced since the start, and how the live alerts stand."""

    def patrol_meters(self) -> tuple[TapCounts, dict[str, int]]:
        """The taps since the start, and the live rounds by state."""
