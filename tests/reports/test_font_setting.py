"""A font the owner names is looked at when the gateway starts, not when the first report is wanted."""

from pathlib import Path

import pytest

from gateway.bootstrap import check_font
from gateway.errors import SettingsError
from gateway.settings import Settings


def test_a_file_that_is_no_font_ends_the_start(tmp_path: Path) -> None:
    text = tmp_path / "font.ttf"
    text.write_text("no font", "utf-8")
    with pytest.raises(SettingsError, match=r"FGW_FONT: .*font\.ttf"):
        check_font(Settings(site=tmp_path / "site.yaml", font=text))


def test_a_font_that_is_not_there_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"FGW_FONT: .*gone\.ttf"):
        check_font(Settings(site=tmp_path / "site.yaml", font=tmp_path / "gone.ttf"))


def test_without_one_nothing_is_asked(tmp_path: Path) -> None:
    check_font(Settings(site=tmp_path / "site.yaml"))
