"""Adapters of aiologic, one file a pattern, for tasks.

Its own locks are taken when it is imported, so between threads it can't run in a simulated world.
"""
