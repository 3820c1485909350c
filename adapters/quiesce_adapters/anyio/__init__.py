"""Adapters of anyio's own primitives."""
