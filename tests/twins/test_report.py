"""The matrix comes out alike from any number of processes, and a dead one is told."""

from __future__ import annotations

import pytest

from quiesce.errors import HarnessError
from quiesce.twins import report

TWINS = """
import os
import threading

import quiesce

LACKS = {"own_function", "reentrance_error", "release"}
SILENT = {"once_error": "retry", "once_cancel": "none"}


@quiesce.adapter("once", world="threads", name="tiny_good", lacks=LACKS, dialect=SILENT)
class Good:
    def __init__(self, work):
        self.work, self.lock, self.values = work, threading.Lock(), []

    def call(self):
        with self.lock:
            if not self.values:
                self.values.append(self.work())
        return self.values[0]


@quiesce.adapter("once", world="threads", name="tiny_forgets", lacks=LACKS, dialect=SILENT)
class Forgets(Good):
    def call(self):
        with self.lock:
            return self.work()
"""
DIES = """

@quiesce.adapter("once", world="threads", name="tiny_dies", lacks=LACKS, dialect=SILENT)
class Dies(Good):
    def call(self):
        os._exit(1)
"""


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
