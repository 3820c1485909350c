"""Deterministic runtimes, one a file. ``world.py`` says what they have in common."""
