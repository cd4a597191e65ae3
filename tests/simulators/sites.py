"""The sites of these tests. Property tests call them by name: as arguments they would be printed whole."""

from functools import cache
from pathlib import Path

from gateway.core.plan import SitePlan
from gateway.site import load_site

ROOT = Path(__file__).parents[2]


@cache
def the_house() -> SitePlan:
    """One device of each kind, and a second elevator."""
    return load_site(Path(__file__).with_name("house.yaml"))


@cache
def the_patrols() -> SitePlan:
    """Two readers, and rounds of every kind."""
    return load_site(Path(__file__).with_name("patrols.yaml"))


@cache
def the_riverside() -> SitePlan:
    """The demo's site."""
    return load_site(ROOT / "simulators" / "sites" / "riverside" / "site.yaml")
