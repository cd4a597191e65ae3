"""The embedded telemetry store, used when no InfluxDB is configured: SQLite files by day.

::

    catalogue.db            series and their integer ids, field types, what is still to be rolled up
    2026-11-23.db           the readings of one day (UTC) and the hours of it that are not rolled up yet
    minutes-2026-11.db      least, most, sum and count of each minute; one file a month
    hours-2026.db           the same of each hour; one file a year

Retention deletes whole files. Every file names the series it holds, so a lost catalogue is built again from them.

It speaks to ``sqlite3`` directly, not through SQLAlchemy as the records do: this is the hot path, the tables never
move to another database (InfluxDB is the other database), and a file a day means as many connections as days.
"""

from gateway.adapters.embedded.store import EmbeddedStore, Longer

__all__ = ["EmbeddedStore", "Longer"]
