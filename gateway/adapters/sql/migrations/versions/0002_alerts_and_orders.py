"""What alerts and work orders are found by since they can be suppressed, assigned and carry files."""

from collections.abc import Iterator

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CHUNK = 500
"""Rows taken into memory at a time."""


class _Order(msgspec.Struct):
    """The part of a work order that becomes columns, as its body held it before this revision."""

    team: str | None = None
    assignee: str | None = None


def upgrade() -> None:
    """Add the columns, filled from the bodies of what is on record, and the indexes."""
    op.add_column("alert", sa.Column("suppressed", sa.String(length=16), nullable=True))
    op.add_column("alert", sa.Column("assignee", sa.String(length=64), nullable=True))
    op.add_column("work_order", sa.Column("team", sa.String(length=64), nullable=True))
    op.add_column("work_order", sa.Column("assignee", sa.String(length=64), nullable=True))
    op.add_column("work_order", sa.Column("due_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "attachment",
        sa.Column("work_order", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("work_order", "id", name=op.f("pk_attachment")),
    )
    op.create_index(op.f("ix_attachment_digest"), "attachment", ["digest"], unique=False)
    op.create_index(op.f("ix_outcome_kind_seq"), "outcome", ["kind", "seq"], unique=False)
    _fill(op.get_bind())


def _fill(connection: sa.Connection) -> None:
    """Orders had a team and an assignee before; alerts were never suppressed nor assigned, and nothing was due."""
    table = sa.table("work_order", sa.column("id"), sa.column("team"), sa.column("assignee"))
    change = (
        sa.update(table)
        .where(table.c.id == sa.bindparam("name"))
        .values(team=sa.bindparam("its_team"), assignee=sa.bindparam("its_assignee"))
    )
    for rows in _chunks(connection):
        connection.execute(change, rows)


def _chunks(connection: sa.Connection) -> Iterator[list[dict[str, str | None]]]:
    table = sa.table("work_order", sa.column("id", sa.String), sa.column("body", sa.LargeBinary))
    decode = msgspec.msgpack.Decoder(_Order).decode
    last = ""
    while True:
        query = sa.select(table.c.id, table.c.body).where(table.c.id > last).order_by(table.c.id).limit(CHUNK)
        rows = connection.execute(query).all()
        if not rows:
            return
        last = rows[-1].id
        found = [(name, decode(body)) for name, body in rows]
        yield [{"name": name, "its_team": one.team, "its_assignee": one.assignee} for name, one in found]
