"""The tables. SQLite keeps them today; nothing here is SQLite's own, so that PostgreSQL can take its place.

Times are milliseconds since 1970 UTC. A ``body`` is the record itself; the columns beside it are for finding it.
"""

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

Millis = sa.BigInteger
Seq = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite counts up integer primary keys only

engine_row = sa.Table(
    "engine",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("now", Millis, nullable=False),
    sa.Column("config", sa.String(64), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

config = sa.Table(
    "config",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("first_at", Millis, nullable=False),
    sa.Column("bundle", sa.LargeBinary, nullable=False),
)

device = sa.Table(
    "device",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

alert = sa.Table(
    "alert",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("device", sa.String(64), nullable=False),
    sa.Column("rule", sa.String(64), nullable=False),
    sa.Column("level", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("live", sa.Boolean, nullable=False),
    sa.Column("raised_at", Millis, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("suppressed", sa.String(16)),
    sa.Column("assignee", sa.String(64)),
    sa.Index(None, "live", "raised_at"),
    sa.Index(None, "raised_at"),
    sa.Index(None, "device", "raised_at"),
)

work_order = sa.Table(
    "work_order",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("device", sa.String(64)),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("priority", sa.String(16), nullable=False),
    sa.Column("live", sa.Boolean, nullable=False),
    sa.Column("opened_at", Millis, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("team", sa.String(64)),
    sa.Column("assignee", sa.String(64)),
    sa.Column("due_at", Millis),
    sa.Index(None, "live", "opened_at"),
    sa.Index(None, "opened_at"),
    sa.Index(None, "device", "opened_at"),
)

attachment = sa.Table(
    "attachment",
    metadata,
    sa.Column("work_order", sa.String(32), primary_key=True),
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Index(None, "digest"),
)

outcome = sa.Table(
    "outcome",
    metadata,
    sa.Column("seq", Seq, primary_key=True, autoincrement=True),
    sa.Column("at", Millis, nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("device", sa.String(64)),
    sa.Column("subject", sa.String(32)),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Index(None, "subject", "seq"),
    sa.Index(None, "device", "seq"),
    sa.Index(None, "kind", "seq"),
    sqlite_autoincrement=True,
)

event = sa.Table(
    "event",
    metadata,
    sa.Column("device", sa.String(64), primary_key=True),
    sa.Column("key", sa.String(160), primary_key=True),
    sa.Column("ts", Millis, nullable=False),
    sa.Column("at", Millis, nullable=False),
    sa.Column("type", sa.String(64), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Index(None, "device", "ts"),
    sa.Index(None, "at"),
)

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("seq", Seq, primary_key=True, autoincrement=True),
    sa.Column("first_at", Millis, nullable=False),
    sa.Column("last_at", Millis, nullable=False),
    sa.Column("inputs", sa.Integer, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Index(None, "last_at"),
    sqlite_autoincrement=True,
)

telemetry_outbox = sa.Table(
    "telemetry_outbox",
    metadata,
    sa.Column("seq", Seq, primary_key=True, autoincrement=True),
    sa.Column("at", Millis, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

dead_letter = sa.Table(
    "dead_letter",
    metadata,
    sa.Column("id", Seq, primary_key=True, autoincrement=True),
    sa.Column("at", Millis, nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    sa.Column("id", Seq, primary_key=True, autoincrement=True),
    sa.Column("at", Millis, nullable=False),
    sa.Column("device", sa.String(64), nullable=False),
    sa.Column("reason", sa.String(32), nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("whole", sa.Boolean, nullable=False),
    sa.Index(None, "device", "reason", "id"),
    sqlite_autoincrement=True,
)

quarantine_total = sa.Table(
    "quarantine_total",
    metadata,
    sa.Column("device", sa.String(64), primary_key=True),
    sa.Column("reason", sa.String(32), primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("first_at", Millis, nullable=False),
    sa.Column("last_at", Millis, nullable=False),
)

log_reader = sa.Table(
    "log_reader",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
)

notice_delivery = sa.Table(
    "notice_delivery",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("target", sa.String(64), primary_key=True),
    sa.Column("address", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Millis, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("given_up_at", Millis),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Index(None, "target", "address", "tries"),
)

tap = sa.Table(
    "tap",
    metadata,
    sa.Column("id", sa.String(128), primary_key=True),
    sa.Column("received", Millis, nullable=False),
    sa.Column("ts", Millis, nullable=False),
    sa.Column("checkpoint", sa.String(64)),
    sa.Column("guard", sa.String(64)),
    sa.Column("source", sa.String(64), nullable=False),
    sa.Column("grade", sa.String(1), nullable=False),
    sa.Column("counted", sa.Boolean, nullable=False),
    sa.Column("review", sa.String(16)),
    sa.Column("fingerprint", sa.String(32)),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Index(None, "checkpoint", "ts"),
    sa.Index(None, "guard", "ts"),
    sa.Index(None, "ts"),
    sa.Index(None, "received"),
    sa.Index(
        None,
        "review",
        "ts",
        sqlite_where=sa.text("review IS NOT NULL"),
        postgresql_where=sa.text("review IS NOT NULL"),
    ),
)
"""Every tap there ever was. Nothing deletes one: it is the proof, and what it is worth may be asked years later."""

tap_round = sa.Table(
    "tap_round",
    metadata,
    sa.Column("round", sa.String(64), primary_key=True),
    sa.Column("tap", sa.String(128), primary_key=True),
    sa.Index(None, "tap"),
)
"""Which taps belong to which rounds; one tap may be in several."""

patrol_round = sa.Table(
    "round",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("route", sa.String(64), nullable=False),
    sa.Column("date", sa.String(10), nullable=False),
    sa.Column("start", Millis, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("result", sa.String(16), nullable=False),
    sa.Column("live", sa.Boolean, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Index(None, "live", "start"),
    sa.Index(None, "date", "route"),
    sa.Index(None, "route", "start"),
    sa.Index(None, "start"),
)
"""Every round; like taps they are kept for good."""

patrol_memory = sa.Table(
    "patrol_memory",
    metadata,
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
"""What is remembered of tags, sources, guards, places, posts and routes."""
