"""Taps, rounds, and what is remembered of patrol beside them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    _create_taps()
    op.create_table(
        "round",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("route", sa.String(length=64), nullable=False),
        sa.Column("date", sa.String(length=10), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round")),
    )
    op.create_index(op.f("ix_round_live_start"), "round", ["live", "start"], unique=False)
    op.create_index(op.f("ix_round_date_route"), "round", ["date", "route"], unique=False)
    op.create_index(op.f("ix_round_route_start"), "round", ["route", "start"], unique=False)
    op.create_index(op.f("ix_round_start"), "round", ["start"], unique=False)
    op.create_table(
        "patrol_memory",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", name=op.f("pk_patrol_memory")),
    )


def _create_taps() -> None:
    op.create_table(
        "tap",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("checkpoint", sa.String(length=64), nullable=True),
        sa.Column("guard", sa.String(length=64), nullable=True),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("grade", sa.String(length=1), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("review", sa.String(length=16), nullable=True),
        sa.Column("fingerprint", sa.String(length=32), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tap")),
    )
    op.create_index(op.f("ix_tap_checkpoint_ts"), "tap", ["checkpoint", "ts"], unique=False)
    op.create_index(op.f("ix_tap_guard_ts"), "tap", ["guard", "ts"], unique=False)
    op.create_index(op.f("ix_tap_ts"), "tap", ["ts"], unique=False)
    op.create_index(op.f("ix_tap_received"), "tap", ["received"], unique=False)
    reviewed = sa.text("review IS NOT NULL")
    op.create_index(
        op.f("ix_tap_review_ts"),
        "tap",
        ["review", "ts"],
        unique=False,
        sqlite_where=reviewed,
        postgresql_where=reviewed,
    )
    op.create_table(
        "tap_round",
        sa.Column("round", sa.String(length=64), nullable=False),
        sa.Column("tap", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("round", "tap", name=op.f("pk_tap_round")),
    )
    op.create_index(op.f("ix_tap_round_tap"), "tap_round", ["tap"], unique=False)
