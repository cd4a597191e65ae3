"""Alert quality: counts by slot, spells, and how far the log is in them. The store fills them when it opens."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COUNTS = (
    "announced",
    "quiet",
    "raised",
    "raised_again",
    "risen",
    "acknowledged",
    "acknowledge_ms",
    "cleared",
    "clear_ms",
    "ended",
    "chattering",
    "hidden",
    "stale",
    "shelved",
    "assigned",
    "reset",
    "out_of_service",
)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "alert_quality",
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in COUNTS),
        sa.PrimaryKeyConstraint("slot", "device", "rule", "level", "actor", name=op.f("pk_alert_quality")),
    )
    op.create_table(
        "alert_quality_spell",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("spell", sa.String(length=16), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("began", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_quality_spell")),
    )
    op.create_index(
        op.f("ix_alert_quality_spell_ended_device_rule_spell"),
        "alert_quality_spell",
        ["ended", "device", "rule", "spell"],
        unique=False,
    )
    op.create_table(
        "alert_quality_mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_quality_mark")),
    )
