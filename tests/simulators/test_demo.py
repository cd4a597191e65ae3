"""The demo as a person starts it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds to wait for a line or an end."""


def started(folder: Path, *flags: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FGW_")}
    return subprocess.Popen(
        [sys.executable, "-m", "api.cli", "demo", "--data-dir", str(folder), *flags],
        cwd=PROJECT,
        env=clean | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_ends_by_itself_with_a_summary(tmp_path: Path) -> None:
    demo = started(tmp_path, "--for", "15s")
    out, errors = demo.communicate(timeout=PATIENCE)
    assert demo.returncode == 0, errors
    assert "Traceback" not in errors
    assert "Summary: Riverside Plaza" in out
    assert "secure tag, within a minute (A) " in out


@pytest.mark.parametrize(
    ("number", "language", "words"),
    [(signal.SIGINT, "en", "Summary: Riverside Plaza"), (signal.SIGTERM, "zh", "汇总: 滨江广场")],
)
def test_it_can_be_stopped_at_any_time(
    number: signal.Signals, language: str, words: str, tmp_path: Path
) -> None:
    demo = started(tmp_path, "--lang", language)
    assert demo.stdout is not None
    assert demo.stdout.readline()
    demo.send_signal(number)
    out, errors = demo.communicate(timeout=PATIENCE)
    assert demo.returncode == 0, errors
    assert "Traceback" not in errors
    assert words in out
