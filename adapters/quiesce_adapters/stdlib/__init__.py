"""Adapters of the standard library, one file a pattern and module."""
