"""Property-based conformance tests for concurrency libraries.

The public names, nothing else. ``adapter`` declares a library's adapter, ``tests`` makes a
pytest test of it; the command ``quiesce`` does the rest.
"""

from __future__ import annotations

from quiesce.adapters import adapter as adapter
from quiesce.errors import ConfigurationError as ConfigurationError
from quiesce.errors import HarnessError as HarnessError
from quiesce.tests_api import tests as tests
from quiesce.verdicts import CellResult as CellResult
from quiesce.verdicts import Verdict as Verdict

__all__ = ["CellResult", "ConfigurationError", "HarnessError", "Verdict", "adapter", "tests"]
