"""The records: journal, state, alerts, work orders, both outboxes, in one SQL database with one writer."""
