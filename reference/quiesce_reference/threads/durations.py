"""Nanoseconds, as the standard library's waits want them."""

from __future__ import annotations

import threading

from quiesce_reference.rates import SECOND

__all__ = ["seconds"]


def seconds(nanoseconds: int) -> float:
    """A time-out in seconds: not negative, and no longer than a lock can wait."""
    return max(0.0, min(nanoseconds / SECOND, threading.TIMEOUT_MAX))
