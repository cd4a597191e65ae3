"""What is said of outcomes and verbs is what the engine has."""

import re
from pathlib import Path

import gateway.core
from gateway.core import commands
from gateway.rehearsal.forms import KINDS
from gateway.rehearsal.verbs import VERBS

CORE = Path(gateway.core.__file__).parent


def test_every_kind_of_outcome_the_core_reports_is_known() -> None:
    text = "".join(path.read_text("utf-8") for path in CORE.rglob("*.py"))
    families = "|".join(sorted({kind.partition(".")[0] for kind in KINDS if "." in kind}))
    named = {*re.findall(rf'"((?:{families})\.[a-z_]+)"', text)}
    assert named - {*VERBS} <= {*KINDS}
    assert {*KINDS} - named == {"rejected"}


def test_every_verb_of_a_command_is_known() -> None:
    text = Path(commands.__file__).read_text("utf-8")
    assert {*re.findall(r'"([a-z_]+\.[a-z_]+)":', text)} <= {*VERBS}
    assert {"alert.ack", "device.tune", "work_order.open", "work_order.move", "tap.review", "round.skip"} <= {
        *VERBS
    }
