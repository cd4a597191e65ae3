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
