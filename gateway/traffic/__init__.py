"""Traffic files: what a gateway was told, one input a line, as JSON Lines, plain or compressed (docs/traffic-files.md).

Written by ``fgw record``, ``fgw export`` and the simulators, read by ``fgw replay`` and ``fgw backtest``.
"""

from gateway.traffic.lines import Line, Setup, TrafficInput
from gateway.traffic.reader import TrafficReader
from gateway.traffic.writer import TrafficWriter

__all__ = ["Line", "Setup", "TrafficInput", "TrafficReader", "TrafficWriter"]
