"""Strategies that choose interleavings, one a file. ``scheduler.py`` is their contract."""
