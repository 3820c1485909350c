"""Adapters of trio's own primitives."""
