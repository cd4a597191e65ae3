"""What is said of outcomes and verbs is what the engine has."""

import ast
import re
from pathlib import Path

from hypothesis import HealthCheck, given, settings

import gateway.core
from gateway.core import commands
from gateway.rehearsal.forms import DETAILS, KINDS, OF_OUTCOMES
from gateway.rehearsal.verbs import VERBS
from tests.core.stories import GUARDED, STORIES, Given, play

CORE = Path(gateway.core.__file__).parent


def test_every_kind_of_outcome_the_core_reports_is_known() -> None:
    text = "".join(path.read_text("utf-8") for path in CORE.rglob("*.py"))
    families = "|".join(sorted({kind.partition(".")[0] for kind in KINDS if "." in kind}))
    named = {*re.findall(rf'"((?:{families})\.[a-z_]+)"', text)}
    assert named - {*VERBS} <= {*KINDS}
    assert {*KINDS} - named == {"rejected"}


def test_every_detail_the_core_names_in_a_report_is_known() -> None:
    calls = [
        node
        for path in CORE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "report"
    ]
    heads = {*OF_OUTCOMES, "subject", "about", "cause"}
    named = {str(keyword.arg) for call in calls for keyword in call.keywords}
    assert len(named) > 20
    assert named <= {*DETAILS, *heads}


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(STORIES)
def test_every_detail_of_an_outcome_is_known(story: list[Given]) -> None:
    attributes = {
        name
        for device in GUARDED[0].devices.values()
        for event in device.kind.events.values()
        for name in event.attributes
    }
    for outcome in play(story).outcomes:
        assert outcome.detail.keys() <= {*DETAILS, *OF_OUTCOMES, *attributes}


def test_every_verb_of_a_command_is_known() -> None:
    text = Path(commands.__file__).read_text("utf-8")
    assert {*re.findall(r'"([a-z_]+\.[a-z_]+)":', text)} <= {*VERBS}
    assert {"alert.ack", "device.tune", "work_order.open", "work_order.move", "tap.review", "round.skip"} <= {
        *VERBS
    }
