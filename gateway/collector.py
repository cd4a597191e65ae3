"""Python's garbage collector, told when looking is of no use."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def resting() -> Iterator[None]:
    """Nothing is looked through meanwhile.

    Reading a large site, or the state of its devices, makes millions of objects that live on; looking through them over
    and over again took two to three times as long as the reading itself (docs/performance.md).
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


THRESHOLDS = (20_000, 20, 20)
"""Objects between collections. A turn makes tens of thousands that live until its end and form no cycle; Python's
own 700 would look through them again and again, which cost a third of all CPU (docs/performance.md)."""


@contextlib.contextmanager
def seldom() -> Iterator[None]:
    """What was loaded stays and is not looked through; the rest is looked through less often meanwhile."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
