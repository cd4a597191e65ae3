"""A backtest as its faces show it: as JSON, as a table, as a page."""
