"""What a step leads to, written as rows of one transaction."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from gateway.adapters.sql import journal, outbox_rows, patrol, quality, schema
from gateway.adapters.sql.quarantine import Quarantine
from gateway.core.effects import Effects
from gateway.core.order_state import WorkOrder
from gateway.core.patrol.memory import PatrolState
from gateway.core.state import Alert, AlertState, State

_pack = msgspec.msgpack.Encoder().encode
_json = msgspec.json.Encoder().encode


class Bundle(NamedTuple):
    """A configuration as text: what the owner wrote, kept under the hash of its content."""

    digest: str
    body: bytes


class Recorder:
    """Writes inputs and effects."""

    def __init__(self, quarantine: Quarantine) -> None:
        self._quarantine = quarantine
        self._upserts: dict[str, sa.Insert] = {}
        self.packed = 0, 0
        """Rows and bytes that the last transaction added to the outbox."""
        self.journalled = 0
        """Bytes that it added to the journal."""

    def write(
        self,
        connection: sa.Connection,
        entries: Sequence[journal.Entry],
        effects: Effects,
        state: State,
        config: Bundle | None = None,
    ) -> int:
        """Write all of it within the caller's transaction; returns the number of the last outcome."""
        self.packed, self.journalled = (0, 0), 0
        if config is not None:
            row = {"digest": config.digest, "first_at": state.scalars.now, "bundle": config.body}
            self._upsert(connection, schema.config, [row])
        if entries:
            block = journal.pack(entries)
            values = {
                "first_at": entries[0][0],
                "last_at": entries[-1][0],
                "inputs": len(entries),
                "body": block,
            }
            connection.execute(sa.insert(schema.journal), values)
            self.journalled = len(block)
        self._write_records(connection, effects, state)
        if effects.rows:
            body = outbox_rows.pack(effects.rows)
            size, count = len(body), len(effects.rows)
            values = {"at": state.scalars.now, "rows": count, "size": size, "body": body}
            connection.execute(sa.insert(schema.telemetry_outbox), values)
            self.packed = count, size
        self._quarantine.add(connection, effects.rejections)
        self._write_engine(connection, effects, state, config)
        last = self._write_outcomes(connection, effects)
        if effects.outcomes or effects.scalars:
            quality.write(connection, effects.outcomes, state.scalars.seen_since, last)
        return last

    def _write_records(self, connection: sa.Connection, effects: Effects, state: State) -> None:
        devices = state.devices
        self._upsert(
            connection,
            schema.device,
            [{"id": name, "body": _pack(devices[name])} for name in effects.devices if name in devices],
        )
        self._upsert(connection, schema.alert, [alert_row(alert) for alert in effects.alerts.values()])
        self._upsert(
            connection,
            schema.work_order,
            [order_row(order, order.id in state.orders) for order in effects.orders.values()],
        )
        named = [row for order in effects.orders.values() for row in _attachment_rows(order)]
        self._upsert(connection, schema.attachment, named, keep=True)
        if effects.forgotten:
            where = schema.work_order.c.id.in_(sorted(effects.forgotten))
            connection.execute(sa.update(schema.work_order).where(where).values(live=False))
        if effects.events:
            rows = [
                {
                    "device": event.device,
                    "key": event.key,
                    "ts": event.ts,
                    "at": event.at,
                    "type": event.type,
                    "body": _json(event.attributes),
                }
                for event in effects.events
            ]
            self._upsert(connection, schema.event, rows, keep=True)
        if effects.taps or effects.rounds or effects.patrol:
            self._write_patrol(connection, effects, state.patrol)

    def _write_patrol(self, connection: sa.Connection, effects: Effects, found: PatrolState) -> None:
        taps = patrol.own(connection, effects.taps.values())
        self._upsert(connection, schema.tap, patrol.tap_rows(taps, found.known), first=patrol.AT_RECEIPT)
        patrol.forget_membership(connection, taps)
        self._upsert(connection, schema.tap_round, patrol.membership_rows(taps), keep=True)
        self._upsert(
            connection,
            schema.patrol_round,
            [patrol.round_row(one, one.id in found.rounds) for one in effects.rounds.values()],
        )
        kept, gone = patrol.memory_rows(effects.patrol, found)
        self._upsert(connection, schema.patrol_memory, kept)
        patrol.forget_memories(connection, gone)

    def _write_engine(
        self, connection: sa.Connection, effects: Effects, state: State, config: Bundle | None
    ) -> None:
        values: dict[str, object] = {"now": state.scalars.now}
        if effects.scalars:
            values["body"] = _pack(state.scalars)
        if config is not None:
            values["config"] = config.digest
        result = connection.execute(sa.update(schema.engine_row).values(**values))
        if result.rowcount == 0:
            first = {"id": 1, "config": "", "body": _pack(state.scalars), **values}
            connection.execute(sa.insert(schema.engine_row), first)

    def _write_outcomes(self, connection: sa.Connection, effects: Effects) -> int:
        if effects.outcomes:
            rows = [
                {
                    "at": outcome.at,
                    "kind": outcome.kind,
                    "device": outcome.device,
                    "subject": outcome.subject,
                    "body": _json(outcome),
                }
                for outcome in effects.outcomes
            ]
            connection.execute(sa.insert(schema.outcome), rows)
        last = connection.execute(sa.select(sa.func.max(schema.outcome.c.seq))).scalar()
        return last or 0

    def _upsert(
        self,
        connection: sa.Connection,
        table: sa.Table,
        rows: Sequence[Mapping[str, Any]],
        *,
        keep: bool = False,
        first: Collection[str] = (),
    ) -> None:
        """Insert rows or replace those with the same key.

        Args:
            connection: the writer's.
            table: where to; ``keep`` and ``first`` are the same for it every time.
            rows: all its columns.
            keep: the first row with a key stays as it is.
            first: columns that stay as the first row had them.
        """
        if not rows:
            return
        statement = self._upserts.get(table.name)
        if statement is None:
            statement = self._upserts[table.name] = _upsert_of(connection, table, keep, first)
        connection.execute(statement, rows)


def _upsert_of(connection: sa.Connection, table: sa.Table, keep: bool, first: Collection[str]) -> sa.Insert:
    # SQLite and PostgreSQL share the syntax; SQLAlchemy has it in each dialect's own insert.
    dialect = connection.dialect.name
    insert: Any = getattr(sa.dialects, dialect).insert(table)
    key = [column.name for column in table.primary_key]
    stays = {*key, *first}
    changes = {column.name: insert.excluded[column.name] for column in table.c if column.name not in stays}
    found: sa.Insert = (
        insert.on_conflict_do_nothing(index_elements=key)
        if keep
        else insert.on_conflict_do_update(index_elements=key, set_=changes)
    )
    return found


def alert_row(alert: Alert) -> dict[str, object]:
    """An alert with the columns it is found by."""
    return {
        "id": alert.id,
        "device": alert.device,
        "rule": alert.rule,
        "level": int(alert.level),
        "state": str(alert.state),
        "live": alert.state is not AlertState.NORMAL,
        "raised_at": alert.raised_at,
        "body": _pack(alert),
        "suppressed": alert.suppressed,
        "assignee": alert.assignee,
    }


def order_row(order: WorkOrder, live: bool) -> dict[str, object]:
    """A work order with the columns it is found by; ``live`` is whether the engine still holds it."""
    return {
        "id": order.id,
        "device": order.device,
        "state": str(order.state),
        "priority": order.priority,
        "live": live,
        "opened_at": order.opened_at,
        "body": _pack(order),
        "team": order.team,
        "assignee": order.assignee,
        "due_at": order.due_at,
    }


def _attachment_rows(order: WorkOrder) -> list[dict[str, object]]:
    """The files an order names, so that upkeep knows which ones are somebody's."""
    return [{"work_order": order.id, "id": one.id, "digest": one.digest} for one in order.attachments]
