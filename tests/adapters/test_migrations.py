"""A database of an earlier version is taken up as it is: nothing lost, and what is found by columns is found."""

from pathlib import Path

import alembic.command
import alembic.config
import msgspec
import pytest
import sqlalchemy as sa

from gateway.adapters.sql import records, schema
from gateway.adapters.sql.database import open_database
from gateway.adapters.sql.recorder import alert_row, order_row
from gateway.core.order_state import Attachment, OrderState, WorkOrder
from gateway.core.state import Alert, AlertState, Cause
from gateway.core.values import Level

ORDERS = 1_203
"""More than one chunk of the migration."""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A database as revision 0001 wrote it: made by Alembic itself, with an alert and many orders in it."""
    file = tmp_path / "facility.db"
    engine = sa.create_engine(f"sqlite:///{file}", isolation_level="AUTOCOMMIT")
    settings = alembic.config.Config()
    settings.set_main_option("script_location", "gateway.adapters.sql:migrations")
    with engine.connect() as connection:
        settings.attributes["connection"] = connection
        alembic.command.upgrade(settings, "0001")
        _write(connection)
    engine.dispose()
    return file


def _write(connection: sa.Connection) -> None:
    alert = {"id": "al-1", "device": "d1", "rule": "hot", "level": 2, "state": "unacknowledged"}
    body = {**alert, "raised_at": 5, "cause": {"ts": 4, "point": "t"}, "worst": 2}
    row = {**alert, "live": True, "raised_at": 5, "body": msgspec.msgpack.encode(body)}
    connection.execute(sa.text(_insert("alert", row)), row)
    for number in range(ORDERS):
        order = {"id": f"wo-{number:05d}", "state": "assigned", "priority": "high"}
        body = {
            **order,
            "template": "repair",
            "title": {"en": "Repair", "zh": "维修"},
            "reported_at": number,
            "opened_at": number,
        }
        if number % 2:
            body |= {"team": "lifts", "assignee": "陈工"}
        row = {
            **order,
            "device": "d1",
            "live": True,
            "opened_at": number,
            "body": msgspec.msgpack.encode(body),
        }
        connection.execute(sa.text(_insert("work_order", row)), row)


def _insert(table: str, row: dict[str, object]) -> str:
    names = ", ".join(row)
    return f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in row)})"  # noqa: S608 - names of this test's own


def test_the_records_of_the_first_version_are_found_by_the_new_filters(old: Path) -> None:
    writer, reader = open_database(old)
    try:
        with reader.connect() as connection:
            by_team = records.work_orders(
                connection, records.OrderQuery(team="lifts", assignee="陈工"), after=None, limit=5_000
            )
            nobody = records.work_orders(
                connection, records.OrderQuery(assignee="li"), after=None, limit=5_000
            )
            loud = records.alerts(connection, records.AlertQuery(suppressed=False), after=None, limit=9)
            quiet = records.alerts(connection, records.AlertQuery(suppressed=True), after=None, limit=9)
    finally:
        writer.dispose()
        reader.dispose()
    expected = [f"wo-{number:05d}" for number in range(ORDERS) if number % 2]
    assert sorted(order.id for order in by_team.items) == expected
    assert nobody.items == []
    assert [(alert.id, alert.cause.point, alert.suppressed) for alert in loud.items] == [("al-1", "t", None)]
    assert quiet.items == []


def test_the_migrations_lead_to_the_very_tables_the_code_uses(old: Path, tmp_path: Path) -> None:
    upgraded, fresh = _tables(old), _tables(tmp_path / "new.db")
    declared = sa.create_engine("sqlite://")
    schema.metadata.create_all(declared)
    assert upgraded == fresh == _described(sa.inspect(declared))
    declared.dispose()


def _tables(file: Path) -> dict[str, object]:
    writer, reader = open_database(file)
    try:
        return _described(sa.inspect(writer))
    finally:
        writer.dispose()
        reader.dispose()


def _described(found: sa.Inspector) -> dict[str, object]:
    return {
        name: (
            [(one["name"], str(one["type"]), one["nullable"]) for one in found.get_columns(name)],
            sorted((str(one["name"]), tuple(one["column_names"])) for one in found.get_indexes(name)),
        )
        for name in found.get_table_names()
        if name != "alembic_version"
    }


def test_what_is_written_after_the_upgrade_is_found_too(old: Path) -> None:
    alert = Alert(
        id="al-2",
        device="d1",
        rule="hot",
        level=Level.WARNING,
        state=AlertState.UNACKNOWLEDGED,
        raised_at=6,
        cause=Cause(6),
        suppressed="shelved",
        assignee="li",
    )
    order = WorkOrder(
        id="wo-new",
        template="repair",
        title={"en": "Repair", "zh": "维修"},
        priority="high",
        state=OrderState.NEW,
        reported_at=1,
        opened_at=1,
        team="gates",
        attachments=[Attachment("at-1", "a.jpg", "image/jpeg", 3, "d" * 64, "li", 6)],
    )
    writer, reader = open_database(old)
    try:
        with writer.begin() as connection:
            connection.execute(sa.insert(schema.alert), alert_row(alert))
            connection.execute(sa.insert(schema.work_order), order_row(order, live=True))
        with reader.connect() as connection:
            query = records.AlertQuery(how=["shelved"], assignee="li")
            shelved = records.alerts(connection, query, after=None, limit=9)
            teams = records.work_orders(connection, records.OrderQuery(team="gates"), after=None, limit=9)
    finally:
        writer.dispose()
        reader.dispose()
    assert [one.id for one in shelved.items] == ["al-2"]
    assert [one.id for one in teams.items] == ["wo-new"]
