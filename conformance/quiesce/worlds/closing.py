"""The last resort of a closing async world: to leave behind what would not end.

Coroutines that withstood their cancellation can't be trusted with the ``GeneratorExit``
that Python throws into them when they die: one that ignores every error would loop for
ever. So they are never to die, not even when the interpreter ends.
"""

from __future__ import annotations

import ctypes
import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["make_immortal", "silence"]


def make_immortal(objects: Iterable[object]) -> None:
    """Take a reference that nobody gives back. What they refer to stays as well."""
    for each in objects:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(each))


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
