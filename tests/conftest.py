"""What all tests share: a process that can be interrupted."""

from __future__ import annotations

import signal

import pytest


@pytest.fixture(scope="session", autouse=True)
def _interrupts() -> None:
    """Shells start background jobs with interrupts ignored; the tests are about them."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
