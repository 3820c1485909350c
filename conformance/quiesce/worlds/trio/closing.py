"""The last resort of a closing world: to drop the coroutines that would not end."""

from __future__ import annotations

import atexit
import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["drop", "silence"]

#: How often a coroutine is asked to close: once for each ``await`` in its ``finally`` blocks.
_ATTEMPTS: Final = 10

# Coroutines that refuse. Dropping one runs it once more, at a time nobody chose.
_refusing: Final[list[object]] = []


def drop(coroutine: Any) -> None:
    """Close a coroutine whose run has ended, whatever it raises."""
    if not _close(coroutine):
        if not _refusing:
            atexit.register(_silence_for_good)
        _refusing.append(coroutine)


def _close(coroutine: Any) -> bool:
    for _ in range(_ATTEMPTS):
        try:
            coroutine.close()
        except RuntimeError:
            if coroutine.cr_frame is None:
                return True
            continue  # it awaits something again
        except BaseException:
            return True  # it ended by an error of its own
        return True
    return False


@contextmanager
def silence() -> Iterator[None]:
    """Keep the interpreter from reporting what happens in finalizers, and all warnings."""
    hook = sys.unraisablehook
    sys.unraisablehook = _ignore
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.unraisablehook = hook


def _ignore(unraisable: object) -> None:
    """Report nothing."""


def _silence_for_good() -> None:
    sys.unraisablehook = _ignore
