"""What tests of the core share: subjects by name, a small budget, cells and trials."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import quiesce
from quiesce.adapters import adapters_of
from quiesce.budget import BUDGETS, Budget
from quiesce.check import open_cell
from quiesce.twins import load_twins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from quiesce.adapters import Adapter
    from quiesce.cell import Cell

HERE = Path(__file__).parent
SOURCES = Path(quiesce.__file__).parents[1]
TINY = Budget("tiny", generated=4, machine=2, schedules=4, inner_schedules=2, thread_share=1.0)


def load(name: str) -> ModuleType:
    """A module of this folder under a name by which the thread world finds it again."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


load("harmless")


def subjects(module: str) -> dict[str, Adapter]:
    """The adapters of a module of this folder, by ``name/world``."""
    found = adapters_of(load(module))
    return {f"{each.name}/{each.world}": each for each in found}


def twin(name: str, world: str, pattern: str = "singleflight") -> Adapter:
    """A twin of ``tests/twins``."""
    for each in load_twins(HERE.parent / "twins", [pattern]):
        if (each.name, each.world) == (name, world):
            return each
    raise LookupError(f"no twin {name} in {world}")


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a budget of a few scenarios, above the fixed ones."""
    monkeypatch.setitem(BUDGETS, "tiny", TINY)
    return "tiny"


@pytest.fixture
def cell_of() -> Iterator[Callable[[Adapter], Cell]]:
    """Open cells; they are closed at the end of the test."""
    opened = []

    def cell_of(adapter: Adapter, points: str = "gil") -> Cell:
        context = open_cell(adapter, points)
        cell = context.__enter__()
        opened.append(context)
        return cell

    yield cell_of
    for context in reversed(opened):
        context.__exit__(None, None, None)


def python(
    *arguments: str, hash_seed: str = "0", timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run Python with the kit, this folder and the fewest surprises."""
    folders = (SOURCES, SOURCES.parent / "reference", SOURCES.parent / "adapters", HERE)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, folders)),
        "PYTHONHASHSEED": hash_seed,
        "COLUMNS": "100",
    }
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
    )
