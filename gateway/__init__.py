"""The gateway: the engine and what joins it to brokers, disks and databases, without a face."""

__version__ = "0.1.0"
