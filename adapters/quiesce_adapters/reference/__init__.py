"""Adapters of quiesce's own reference implementations, one file a pattern and world."""
