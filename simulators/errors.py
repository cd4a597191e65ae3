"""What can go wrong in a simulation, in words for the person who started it."""

from gateway.errors import GatewayError


class SimulationError(GatewayError):
    """A simulation was asked for something it cannot do, or its broker cannot be had."""
