"""``quiesce.tests``: conformance tests in an adopter's own test file.

    test_singleflight = quiesce.tests(FlightAdapter)

becomes one pytest item for each world that the adapter declares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import attrs

from quiesce.adapters import Adapter, adapters_of, discover

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["CellTests", "ChosenCells", "tests"]


@final
@attrs.frozen
class CellTests:
    """Stands in a test module for the cells of some adapters; the plugin collects it."""

    targets: tuple[type | ModuleType | str, ...]

    def adapters(self) -> tuple[Adapter, ...]:
        """The adapters that it names.

        Raises:
          ConfigurationError: there is none, or two have the same cell.
        """
        found: list[Adapter] = []
        for target in self.targets:
            if isinstance(target, str):
                found.extend(discover([target]).adapters)
            else:
                found.extend(adapters_of(target))
        return tuple(found)


@final
class ChosenCells:
    """Stands in a module for the cells of ``--quiesce-adapter``; see ``quiesce.suite``."""


def tests(*targets: type | ModuleType | str) -> CellTests:
    """Test adapters: assign the result to a name that starts with ``test``.

    Args:
      targets: adapter classes, modules full of them, or ``module:attribute`` texts.

    Wrong targets are reported when pytest collects the file, not when it is imported.
    """
    return CellTests(targets)
