"""Looking up the names of taps: whose tag it is, who tapped, by which reader."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from gateway.core import tags
from gateway.core.values import Json
from gateway.rehearsal.actions import OF_SEALS, OF_TAPS
from gateway.rehearsal.look import Look, text_of, whole_of
from gateway.site.fields import duration, shown
from gateway.site.problems import unknown

WAYS = ("tag", "url", "code", "checkpoint", "label", "seal")
"""How it is said what was read."""
UID = re.compile("[0-9A-Fa-f]{14}")
NUMBERED: Mapping[str, range] = MappingProxyType({"counter": range(1 << 24), "epoch": range(1, 10**9)})
SEALS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"verdict": ("good", "forged"), "tamper": ("closed", "open", "unknown")}
)


class TapLook(Look):
    """Looks at a step of taps."""

    def taps(self) -> None:
        """Look at a step of one tap or more."""
        if "phone" in self.given and "reader" in self.given:
            self.say(("phone",), "a tap comes by a reader or by a phone; choose one")
        elif "phone" in self.given:
            self.take(("phone",), self.given["phone"], text_of)
        else:
            readers = [name for name, one in self.step.plan.equipment.items() if "tap" in one.kind.events]
            if "reader" in self.given:
                self.word(("reader",), "reader", self.given["reader"], readers)
            elif self.step.device not in readers:
                names = ", ".join(readers[:12]) or "none"
                self.say(
                    (), f"say by what it is read, with 'reader' or 'phone'; readers of the site: {names}"
                )
        if "token" in self.given:
            self.word(("token",), "guard", self.given["token"], self.step.plan.patrol.guards)
        if "queued" in self.given:
            self.take(("queued",), self.given["queued"], whole_of)
        several = "taps" in self.given
        found = self.given["taps"] if several else [self.given["tap"]]
        if not isinstance(found, list) or not found:
            self.say(("taps",), f"found {shown(found)}; a list of taps is needed")
            return
        for index, tap in enumerate(found):
            self._tap(("taps", index) if several else ("tap",), tap)

    def _tap(self, path: tuple[str | int, ...], tap: Json) -> None:
        if not isinstance(tap, dict):
            self.say(path, f"found {shown(tap)}; a mapping is needed, such as {{tag: 04A2…, guard: g-07}}")
            return
        for name in tap:
            self.word((*path, name), "field", name, OF_TAPS)
        ways = [name for name in WAYS if name in tap]
        if "seal" in tap:
            self._seal((*path, "seal"), tap["seal"], named="checkpoint" in tap)
            ways = [name for name in ways if name != "checkpoint"]
        if len(ways) != 1 and not self.step.refused:
            found = " and ".join(ways) or "nothing that was read"
            self.say(path, f"found {found}; a tap has one of {', '.join(WAYS)}")
        plan = self.step.plan
        for name in ("checkpoint", "label"):
            if name in tap:
                self.word((*path, name), "checkpoint", tap[name], plan.checkpoints)
        place = plan.checkpoints.get(str(tap.get("checkpoint")))
        if place is not None and not place.tags:
            self.say((*path, "checkpoint"), f"{place.id} has no tag; scan its 'label' instead")
        if "ago" in tap:
            self.take((*path, "ago"), tap["ago"], duration)
        if "tag" in tap and not self.registering and not self.step.refused:
            self._tag((*path, "tag"), tap["tag"])

    def _seal(self, path: tuple[str | int, ...], seal: Json, *, named: bool) -> None:
        if not isinstance(seal, dict):
            self.say(path, f"found {shown(seal)}; a mapping is needed, such as {{uid: 04A2…, counter: 7}}")
            return
        for name, value in seal.items():
            self.word((*path, name), "field", name, OF_SEALS)
            if name in NUMBERED and (type(value) is not int or value not in NUMBERED[name]):
                words = f"{NUMBERED[name].start} to {NUMBERED[name].stop - 1} is allowed"
                self.say((*path, name), f"found {shown(value)}; {words}")
            elif name == "uid" and not (isinstance(value, str) and UID.fullmatch(value)):
                self.say(
                    (*path, name), f"found {shown(value)}; 14 hexadecimal characters in quotes are needed"
                )
            elif name in SEALS:
                self.word((*path, name), name, value, SEALS[name])
        if "uid" not in seal and not named:
            self.say(path, "say whose seal it is, with 'uid', or with 'checkpoint' beside it")

    def _tag(self, path: tuple[str | int, ...], tag: Json) -> None:
        """A tag must be somebody's; ``stranger-…`` is one that is nobody's on purpose."""
        plan = self.step.plan
        known = {one.id for place in plan.checkpoints.values() for one in place.tags} | {*tags.assets(plan)}
        if not isinstance(tag, str):
            self.say(path, f"found {shown(tag)}, which is not text; put it in quotes")
        elif tags.normal(tag) not in known and not tag.startswith("stranger"):
            hint = "; call one that is meant to be unknown stranger-1"
            self.say(path, unknown("tag", tag, sorted(known)) + hint)
