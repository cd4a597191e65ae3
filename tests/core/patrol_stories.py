"""What guards do in random stories, and what people ask of patrol: part of the site of :mod:`tests.core.stories`."""

from functools import lru_cache
from typing import Any, NamedTuple

from hypothesis import strategies as st

from gateway.codecs.tag_keys import TagKeys
from gateway.codecs.tag_url import TagReader
from gateway.core.inputs import Command, Tap
from gateway.core.patrol.duty import open_at
from gateway.core.patrol.memory import KNOWN_KEPT, TAPS_KEPT, PatrolState
from gateway.core.plan import SitePlan
from gateway.core.state import State
from gateway.core.tags import code
from gateway.core.values import Millis
from simulators.ntag import SimulatedTag

KEYS = TagKeys.parse("0F1E2D3C4B5A69788796A5B4C3D2E1F0")
"""Only the running gateway has them; a replay has none."""
PLAIN, SECURE, ASSET, STRANGE = "04000001", "04B1C2D3E4F506", "04A22B1C3D5E80", "04FFFFFF"
PHONES = ("p1", "p2")
GUARDS = ("g-1", "g-2")
POST = "desk"

WALK: dict[str, Any] = {
    "id": "walk",
    "checkpoints": ["gate", "roof", "pump"],
    "every": "FREQ=HOURLY",
    "start": "2026-09-21 16:20",
    "lasts": "30m",
    "early": "5m",
    "grace": "5m",
    "late_upload": "1h",
    "leg": ["30s", "10m"],
    "readers": ["d1"],
    "guards": [*GUARDS],
    "check_in": "15m",
}
PAIR: dict[str, Any] = {
    "id": "pair",
    "order": "any",
    "checkpoints": ["gate", "roof"],
    "every": "FREQ=HOURLY;INTERVAL=2",
    "start": "2026-09-21 16:30",
    "lasts": "1h",
    "late_upload": "30m",
    "persons": 2,
    "accept": "C",
}
CHECKPOINTS: list[dict[str, Any]] = [
    {"id": "gate", "tags": [PLAIN]},
    {"id": "roof", "important": True, "tags": [{"id": SECURE, "secure": True}]},
    {"id": "pump", "tags": ["04000003"]},
]
PATROL: dict[str, Any] = {
    "guards": {name: {} for name in GUARDS},
    "checkpoints": CHECKPOINTS,
    "routes": [WALK, PAIR],
    "patrol": {
        "coverage": {"all": {"every": "1h", "grave": "3h"}},
        "posts": {POST: {"team": "house", "keys": ["ring"]}},
    },
}
RETIRED: list[dict[str, Any]] = [
    {**CHECKPOINTS[0], "tags": [{"id": PLAIN, "until": "2026-09-21 18:00"}]},
    {**CHECKPOINTS[1], "tags": [{"id": SECURE, "secure": True, "epoch": 2}]},
]
OTHERS: tuple[dict[str, Any], ...] = (
    PATROL | {"routes": [WALK | {"grace": "10m", "order": "random", "accept": "B"}, PAIR]},
    PATROL,
    {},
    PATROL | {"checkpoints": RETIRED, "routes": [PAIR]},
)
"""Another way to walk; the same; no patrol at all; a tag retired and one written anew, and a route and a place less."""


class Read(NamedTuple):
    """What was held to the reader or phone."""

    way: str
    """``tag``, ``url``, ``forged`` or ``code``."""
    word: str = ""
    counter: int = 1
    epoch: int = 1


class Touch(NamedTuple):
    """A tap as a story draws it."""

    source: str
    read: Read
    ago: Millis
    """How long before the receipt it was made."""
    skew: Millis | None
    """How far the device's clock is ahead; None where it does not say what it shows."""
    guard: str | None
    key: str | None
    """An id that may be used twice; None for one of its own."""
    queued: int | None
    by: str | None
    before: Millis | None
    """How long after the one before it was made; of phones only."""
    retained: bool


class Plea(NamedTuple):
    """Something asked of patrol, of whatever record is there when its time comes."""

    verb: str
    which: int
    actor: str
    args: dict[str, Any]


TOUCHES = st.builds(
    Touch,
    st.sampled_from(["d1", "d1", *PHONES]),
    st.one_of(
        st.sampled_from([Read("tag", PLAIN)] * 3 + [Read("tag", one) for one in (SECURE, ASSET, STRANGE)]),
        st.sampled_from([Read("tag", "04000003"), Read("code", "gate"), Read("code", "nowhere")]),
        st.builds(Read, st.just("url"), st.just(SECURE), st.integers(1, 9), st.sampled_from([1, 1, 1, 2])),
        st.builds(Read, st.sampled_from(["url", "forged"]), st.just(SECURE), st.integers(1, 9), st.just(1)),
    ),
    st.sampled_from([0, 0, 0, 1_000, 20_000, 60_001, 600_000, 3_600_000, 14_400_000, -3_000, -600_000]),
    st.sampled_from([None, None, 0, 0, 9 * 60_000, -7_200_000]),
    st.sampled_from(["g-1", "g-1", "g-2", "g-9", None]),
    st.sampled_from([None] * 4 + ["k1", "k2", "5f0e6f0a-0b6c-4c55-9c39-1f2e3d4c5b6a"]),
    st.sampled_from([None, 0, 0, 3]),
    st.sampled_from([None, "g-1"]),
    st.sampled_from([None, None, 30_000, -30_000]),
    st.sampled_from([False] * 9 + [True]),
)
PLEAS = st.builds(
    Plea,
    st.sampled_from(
        [
            *["round.skip", "round.make_up", "round.make_up", "tap.review", "tap.review", "source.report"],
            *["guard.check_in", "guard.check_in", "guard.sos", "guard.token"],
            *["tag.register", "tag.retire", "tag.raise_epoch"],
            *["duty.begin", "duty.offer", "duty.confirm", "duty.withdraw"],
        ]
    ),
    st.integers(0, 5),
    st.sampled_from(["anna", "ben", *GUARDS]),
    st.fixed_dictionaries(
        {},
        optional={
            "checkpoint": st.sampled_from(["gate", "roof", "none"]),
            "guard": st.sampled_from([*GUARDS, "g-9"]),
            "ago": st.sampled_from([0, 60_000, 3_600_000]),
            "why": st.sampled_from(["flooded", " "]),
            "decision": st.sampled_from(["approve", "approve", "reject", "maybe"]),
            "queued": st.sampled_from([0, 2, -1]),
            "key": st.sampled_from(["s1", "s2"]),
            "sha256": st.sampled_from(["ab" * 32, None, 7]),
            "secure": st.booleans(),
            "title": st.sampled_from(["by the door", "outside", 7]),
            "epoch": st.sampled_from([2, 3]),
            "to": st.sampled_from([*GUARDS, "g-9"]),
        },
    ),
)


@lru_cache(maxsize=256)
def address(read: Read) -> str:
    """What the secure tag says at a tap; at a forged one its signature is another."""
    uid = bytes.fromhex(read.word)
    (keys,) = KEYS.of_site("mill")
    file_key = keys.file(uid, read.epoch)
    tag = SimulatedTag(
        read.word, read.epoch, "https://mill.example/t", keys.meta, file_key, counter=read.counter - 1
    )
    url = tag.tap()
    return url if read.way == "url" else url[:-1] + ("0" if url[-1] != "0" else "1")


def tap(at: Millis, number: int, one: Touch) -> Tap:
    """The input of a tap received now, as the edge makes it."""
    read, phone = one.read, one.source in PHONES
    ts = at - one.ago + (one.skew or 0)
    url = address(read) if read.way in ("url", "forged") else None
    return Tap(
        at=at,
        id=one.key or f"t{number}",
        source=one.source,
        ts=ts,
        tag=read.word if read.way == "tag" else None,
        url=url,
        seal=None if url is None else TagReader("mill", KEYS).read(url),
        code=code("mill", read.word) if read.way == "code" else None,
        how="qr" if read.way == "code" else "nfc",
        guard=one.guard,
        sent=None if one.skew is None else at + one.skew,
        before=ts - one.before if phone and one.before is not None else None,
        queued=one.queued,
        by=one.by if phone else None,
        retained=one.retained and not phone,
        ask=f"a{number}" if phone else "",
    )


def command(plan: SitePlan, state: State, at: Millis, number: int, plea: Plea) -> Command:
    """The command of a plea, to a record that is there."""
    patrol, (noun, _, verb) = state.patrol, plea.verb.partition(".")
    args = dict(plea.args)
    if "ago" in args:
        args["ts"] = args["since"] = at - args.pop("ago")
    targets: dict[str, list[str]] = {
        "round": sorted(patrol.rounds),
        "tap": sorted(patrol.taps),
        "source": [*PHONES, "d1"],
        "guard": [*GUARDS, "g-9"],
        "tag": [PLAIN, SECURE, STRANGE, ASSET],
        "duty": [POST],
    }
    names = targets[noun] or ["none"]
    if verb == "confirm" and POST in plan.patrol.posts:
        args |= {
            name: list(found) for name, found in open_at(state, plan.patrol.posts[POST])._asdict().items()
        }
    return Command(
        at=at,
        id=f"c{number}",
        actor=plea.actor,
        verb=plea.verb,
        target=names[plea.which % len(names)],
        args=args,
    )


def plain(state: State) -> PatrolState:
    """The memory of patrol without what is never looked at again: when that is left is nobody's business."""
    patrol, now = state.patrol, state.scalars.now
    kept = {
        kind: {name: one for name, one in getattr(patrol, kind).items() if one != type(one)()}
        for kind in ("tags", "sources", "guards", "places", "posts")
    }
    return PatrolState(
        rounds=patrol.rounds,
        taps={name: one for name, one in patrol.taps.items() if still_judged(one.received, one.review, now)},
        known={name: one for name, one in patrol.known.items() if one[0] > now - KNOWN_KEPT},
        routes=patrol.routes,
        **kept,
    )


def still_judged(received: Millis, review: str | None, now: Millis) -> bool:
    """Whether a tap is still in memory."""
    return received > now - TAPS_KEPT or review == "pending"
