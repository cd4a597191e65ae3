"""Time zones come from the pinned package, whatever the machine has."""

import zoneinfo
from datetime import UTC, datetime

import pytest

from gateway.errors import SiteError
from gateway.site.zones import names, zone


def test_a_zone_does_not_ask_the_machine(tmp_path: object) -> None:
    """A machine whose own files say something else: no file, no zone."""
    path = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=[str(tmp_path)])
    try:
        found = zone.__wrapped__("Europe/Berlin")  # not the one remembered: others hold that
    finally:
        zoneinfo.reset_tzpath(to=path)
    assert found.key == "Europe/Berlin"
    assert datetime(2026, 7, 1, tzinfo=UTC).astimezone(found).hour == 2


def test_a_zone_is_one_object() -> None:
    assert zone("Asia/Shanghai") is zone("Asia/Shanghai")


def test_every_name_has_its_zone() -> None:
    assert {"Asia/Shanghai", "Australia/Lord_Howe", "America/Argentina/Buenos_Aires", "UTC"} <= names()
    moment = datetime(2026, 7, 1, tzinfo=UTC)
    assert all(moment.astimezone(zone(name)) == moment for name in sorted(names()))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Asia/Shangai", "did you mean 'Asia/Shanghai'?"),
        ("../zones", "unknown time zone '../zones'"),
        ("Asia", "an IANA name is needed"),
        ("", "an IANA name is needed"),
    ],
)
def test_an_unknown_name_is_said(name: str, words: str) -> None:
    with pytest.raises(SiteError) as wrong:
        zone(name)
    assert words in str(wrong.value)
