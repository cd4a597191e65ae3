"""Replay: recorded inputs through the very engine that runs live, to the identical outcomes (docs/replay.md).

Neither broker nor database is needed, and no clock is read: what comes out depends on the file and the site alone.
"""

from gateway.replay.outcomes import OutcomeFile, read_outcomes
from gateway.replay.stage import Stage

__all__ = ["OutcomeFile", "Stage", "read_outcomes"]
