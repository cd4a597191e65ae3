"""What the owner writes: site file and profiles, validated whole and turned into the frozen values of the plan."""

from gateway.site.bundle import SiteBundle, read_bundle
from gateway.site.plan_builder import build_plan, load_site

__all__ = ["SiteBundle", "build_plan", "load_site", "read_bundle"]
