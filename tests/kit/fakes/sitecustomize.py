"""Loaded by every Python started under this folder, xdist's workers too.

Puts a fake in the place of ``quiesce.check``, so that tests of the command line and of the
plugin choose what a cell's check does, and hides the adapters that are really installed.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import quiesce.adapters

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class FakeCheck:
    """Finds the fake before the real module."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "quiesce.check":
            return None
        return importlib.util.spec_from_file_location(
            name, Path(__file__).with_name("fake_check.py")
        )


sys.meta_path.insert(0, FakeCheck())
quiesce.adapters.ENTRY_POINTS = "quiesce.fake_adapters"
