"""What the gateway and the process of a backtest say to each other: a line of JSON each, over its standard streams."""

from typing import Final, Literal, TypeAlias

from msgspec import Struct
from msgspec.json import Decoder, Encoder

from gateway.core.values import Millis

RESULT, REPORT = "result.json", "report-{}.html"
"""What is in the folder of a backtest that is done; a page for each language."""
LANGUAGES: Final[tuple[Literal["en", "zh"], ...]] = ("en", "zh")
LINE_MOST = 1 << 20
"""Bytes of one answer."""


class Order(Struct, frozen=True, kw_only=True):
    """What is to be done: the first and only line a process gets. It works until its standard input ends."""

    data_dir: str
    now: str
    """The digest of the site now; its text is in the records."""
    files: dict[str, str]
    wanted: list[str]
    """Parameters, each as ``TARGET.PARAM=VALUE``."""
    days: int | None = None
    warm_up: Millis = 0
    budgets: dict[str, int | float] = {}
    folder: str | None = None
    """Where the result goes; None to look at the candidate only."""


class Fault(Struct, frozen=True):
    """As :class:`gateway.errors.Problem`."""

    file: str
    line: int
    field: str
    message: str


class Broken(Struct, frozen=True):
    """A budget that is broken, as :class:`gateway.backtest.budgets.Kept`."""

    name: str
    found: float | None
    allowed: float
    kept: bool
    partial: bool


class Fine(Struct, frozen=True, tag="fine"):
    """The candidate can be judged by."""

    digest: str


class Wrong(Struct, frozen=True, tag="wrong"):
    """Something is wrong with the candidate."""

    problems: list[Fault]


class Reached(Struct, frozen=True, tag="reached"):
    """So far it is."""

    share: float
    """0 to 1."""
    at: Millis | None
    """The moment of the recording it has come to."""


class Failed(Struct, frozen=True, tag="failed"):
    """Nothing will come of it."""

    words: str


class Done(Struct, frozen=True, tag="done"):
    """The result is in its folder."""

    broken: list[Broken]


Answer: TypeAlias = Fine | Wrong | Reached | Failed | Done

encode = Encoder().encode
read_order = Decoder(Order).decode
read_answer: Decoder[Answer] = Decoder(Answer)
