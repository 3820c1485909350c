"""Real things for hostile adapters: a module that no world imports again."""

from __future__ import annotations

import threading

LOCKED = threading.Lock()
LOCKED.acquire()


def nothing(*_: object) -> None:
    """What threads run."""


def trace(*_: object) -> None:
    """A trace function, a signal handler, an exception hook."""


def start_a_thread() -> None:
    """Start a thread of the operating system that runs until ``RELEASE`` is set."""
    threading.Thread(target=RELEASE.wait, name="stray", daemon=True).start()


RELEASE = threading.Event()
