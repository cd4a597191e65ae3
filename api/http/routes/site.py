"""The site in force, and reading it again."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.http.context import Asked
from api.http.device_views import TitleView, title_view
from gateway.core.plan import SitePlan

router = APIRouter(tags=["site"])


class FloorView(BaseModel):
    """One floor."""

    id: str
    title: TitleView


class BuildingView(BaseModel):
    """One building; floors from the lowest up."""

    id: str
    title: TitleView
    floors: list[FloorView]


class KindView(BaseModel):
    """A device profile in use."""

    kind: str
    title: TitleView
    devices: int


class SiteView(BaseModel):
    """The site in force."""

    site: str
    title: TitleView
    timezone: str
    digest: str = Field(description="names the text it was built from")
    now: str
    buildings: list[BuildingView]
    kinds: list[KindView]


@router.get("/site")
async def get_site(asked: Asked) -> SiteView:
    """The site: title, time zone, buildings, kinds of devices."""
    return _view(asked.plan, asked.written(asked.now))


@router.post("/reload")
async def reload(asked: Asked) -> SiteView:
    """Read the site file and its profiles again and put them in force; wrong ones change nothing."""
    return _view(await asked.gateway.reload(), asked.written(asked.now))


def _view(plan: SitePlan, now: str) -> SiteView:
    kinds: dict[str, KindView] = {}
    for device in plan.equipment.values():
        kind = kinds.setdefault(
            device.kind.profile,
            KindView(kind=device.kind.profile, title=title_view(device.kind.title), devices=0),
        )
        kind.devices += 1
    return SiteView(
        site=plan.site,
        title=title_view(plan.title),
        timezone=plan.timezone,
        digest=plan.digest,
        now=now,
        buildings=[
            BuildingView(
                id=building.id,
                title=title_view(building.title),
                floors=[
                    FloorView(id=floor.id, title=title_view(floor.title))
                    for floor in building.floors.values()
                ],
            )
            for building in plan.buildings.values()
        ],
        kinds=[kinds[name] for name in sorted(kinds)],
    )
