"""The matrix comes out alike from any number of processes, and a dead one is told."""

from __future__ import annotations

import sys

import pytest

from quiesce.errors import HarnessError
from quiesce.twins import report

TWINS = """
import asyncio
import os

import quiesce

CELL = {
    "world": "asyncio",
    "lacks": {"own_function", "reentrance_error", "release"},
    "dialect": {"once_error": "retry", "once_cancel": "retry"},
}


@quiesce.adapter("once", name="tiny_good", **CELL)
class Good:
    def __init__(self, work):
        self.work, self.lock, self.values = work, asyncio.Lock(), []

    async def call(self):
        async with self.lock:
            if not self.values:
                self.values.append(await self.work())
        return self.values[0]


@quiesce.adapter("once", name="tiny_forgets", **CELL)
class Forgets(Good):
    async def call(self):
        async with self.lock:
            return await self.work()
"""
DIES = """

@quiesce.adapter("once", name="tiny_dies", **CELL)
class Dies(Good):
    async def call(self):
        os._exit(1)
"""


@pytest.fixture(autouse=True)
def _own_module(monkeypatch):
    """Put back the module of the real twins of once, if it was loaded."""
    monkeypatch.delitem(sys.modules, "quiesce_twins_once", raising=False)


def test_rows_are_the_same_from_two_processes_as_from_one(tmp_path):
    (tmp_path / "once.py").write_text(TWINS)
    told = []

    alone = report(tmp_path, ["once"])
    together = report(tmp_path, ["once"], told.append, workers=2)

    assert together == alone == tuple(told)
    assert [(row.twin, bool(row.clauses)) for row in alone] == [
        ("tiny_forgets", True),
        ("tiny_good", False),
    ]


def test_a_twin_that_takes_its_process_down_is_told(tmp_path):
    (tmp_path / "once.py").write_text(TWINS + DIES)

    with pytest.raises(HarnessError, match="took its process down; `-n 0` shows which"):
        report(tmp_path, ["once"], workers=2)
