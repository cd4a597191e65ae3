"""``python -m tests.e2e.shifted MILLIS …`` is ``fgw …`` on a machine whose clock is so far ahead.

A night's patrol is lived through in seconds: between two lives of the gateway hours may pass.
"""

import sys
import time

from api.cli import main


def run(ahead: int) -> None:
    """Put the clock forward, and go on as ``fgw`` does."""
    real = time.time_ns
    time.time_ns = lambda: real() + ahead * 1_000_000
    main()


if __name__ == "__main__":
    millis = int(sys.argv.pop(1))
    run(millis)
