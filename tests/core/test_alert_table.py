"""The alert machine as a table: every state with everything that can happen to it."""

from itertools import product

import pytest

from gateway.core.alert_table import ACTIVE, TABLE, Act
from gateway.core.state import AlertState

NORMAL, UNACKNOWLEDGED = AlertState.NORMAL, AlertState.UNACKNOWLEDGED
ACKNOWLEDGED, RETURNED = AlertState.ACKNOWLEDGED, AlertState.RETURNED

DOCUMENTED = {
    #                raise           rise            clear     auto_clear  ack        unshelve       exit
    NORMAL: (UNACKNOWLEDGED, None, None, None, None, None, None),
    UNACKNOWLEDGED: (
        UNACKNOWLEDGED,
        UNACKNOWLEDGED,
        RETURNED,
        NORMAL,
        ACKNOWLEDGED,
        ACKNOWLEDGED,
        UNACKNOWLEDGED,
    ),
    ACKNOWLEDGED: (UNACKNOWLEDGED, UNACKNOWLEDGED, NORMAL, NORMAL, None, ACKNOWLEDGED, UNACKNOWLEDGED),
    RETURNED: (UNACKNOWLEDGED, None, None, None, NORMAL, NORMAL, NORMAL),
}
"""ISA-18.2; None is refused."""


@pytest.mark.parametrize(("state", "act"), list(product(AlertState, Act)))
def test_every_act_leads_where_the_table_says_or_nowhere(state: AlertState, act: Act) -> None:
    assert TABLE.get((state, act)) is DOCUMENTED[state][list(Act).index(act)]


def test_an_alert_is_active_exactly_where_its_condition_can_go() -> None:
    assert set(ACTIVE) == {state for state, act in TABLE if act is Act.CLEAR}
