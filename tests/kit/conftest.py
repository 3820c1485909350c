"""What tests of the command line and of the plugin share: processes with a fake check."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import quiesce

if TYPE_CHECKING:
    from collections.abc import Callable

FAKES = Path(__file__).parent / "fakes"
KIT = Path(quiesce.__file__).parents[1]

Process = subprocess.CompletedProcess[str]


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let processes started from here see the fakes and nothing personal; an empty folder."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(FAKES), str(KIT)]))
    monkeypatch.setenv("COLUMNS", "90")
    for name in ("NO_COLOR", "FORCE_COLOR", "PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PY_COLORS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def python(*arguments: str) -> Process:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=100, check=False
    )


@pytest.fixture
def command(fakes: Path) -> Callable[..., Process]:
    """Run the command ``quiesce`` in a process of its own, in an empty folder."""
    return lambda *arguments: python("-m", "quiesce.cli", *arguments)


@pytest.fixture
def run_pytest(fakes: Path) -> Callable[..., Process]:
    """Run pytest on the current folder in a process of its own, as strictly as it can.

    The plugin is named on the command line and not found by its entry point, so that it is
    the same whether the kit is installed or only on the path.
    """
    (fakes / "pytest.ini").write_text(
        "[pytest]\naddopts = --strict-markers --strict-config\nfilterwarnings = error\n"
    )
    options = ["--disable-plugin-autoload", "-p", "no:cacheprovider"]
    options += ["-p", "xdist.plugin", "-p", "quiesce.pytest_plugin"]
    return lambda *arguments: python("-m", "pytest", *options, *arguments)
