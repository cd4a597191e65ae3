"""Bytes to facts, one file a wire format. Whatever cannot be taken becomes a rejection with its reason."""
