"""The anti-patterns are caught, each by the clause that it breaks, and what should be passes."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path

import pytest

from quiesce.adapters import adapters_of
from quiesce.check import check_cell
from quiesce.explore import explore
from quiesce.reports.story import failure_message
from quiesce.verdicts import Verdict

NAME = "quiesce_antipatterns"


def load():
    spec = importlib.util.spec_from_file_location(NAME, Path(__file__).with_name("subjects.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module  # the thread world imports it again by this name
    spec.loader.exec_module(module)
    return module


SUBJECTS = load()
ADAPTERS = {adapter.name: adapter for adapter in adapters_of(SUBJECTS)}
GOOD = sorted(name for name in ADAPTERS if name.startswith("good."))
BROKEN = {
    "bad.channel_as_mutex": "MX-04",
    "bad.endless_loop": "TK-11",
    "bad.unbounded_spawn": "FO-05",
}


def clauses_broken_by(name):
    result = check_cell(ADAPTERS[name], budget="quick")
    assert result.error is None
    return {finding.clause for finding in result.findings}


@pytest.mark.parametrize(("name", "clause"), BROKEN.items())
def test_an_antipattern_breaks_its_clause(name, clause):
    assert clause in clauses_broken_by(name)


@pytest.mark.parametrize("name", GOOD)
def test_the_good_pattern_conforms(name):
    assert clauses_broken_by(name) == set()


def test_every_antipattern_is_judged():
    assert {name for name in ADAPTERS if name.startswith("bad.")} == set(BROKEN)
    assert len(GOOD) == len(BROKEN)


def test_the_report_on_a_channel_as_a_mutex_says_that_a_mutex_is_simpler():
    result = check_cell(ADAPTERS["bad.channel_as_mutex"], budget="quick")

    assert result.verdict is Verdict.VIOLATES
    assert "A mutex is simpler here." in " ".join(failure_message(result).split())


def test_the_peak_of_an_unbounded_spawn_grows_with_the_input():
    peaks = {}
    for bound in ("unbounded", "bounded"):
        cls = {"unbounded": SUBJECTS.UnboundedSpawn, "bounded": SUBJECTS.BoundedSpawn}[bound]
        peaks[bound] = [asyncio.run(peak_of(cls(), size)) for size in (4, 16, 64)]

    assert peaks == {"unbounded": [4, 16, 64], "bounded": [2, 2, 2]}


async def peak_of(subject, size):
    running = highest = 0

    async def work(item):
        nonlocal running, highest
        running += 1
        highest = max(highest, running)
        await asyncio.sleep(0)
        running -= 1

    await subject.map_concurrent(work, range(size), limit=2)
    return highest


def test_a_counter_without_a_lock_loses_an_update():
    found = explore(SUBJECTS.BadCounter)

    assert found.failure is not None
    assert "ok" in found.failure


def test_a_counter_with_a_lock_loses_nothing():
    found = explore(SUBJECTS.GoodCounter)

    assert found.failure is None
    assert found.executions > 10
