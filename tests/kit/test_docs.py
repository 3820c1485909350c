"""The examples in the documents run, and say what they show."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from quiesce.catalogue import clauses

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "docs/channel-or-mutex.md")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_examples_of_a_document_run(name):
    outcome = doctest.testfile(str(ROOT / name), module_relative=False)

    assert outcome.failed == 0
    assert outcome.attempted > 0


def test_every_clause_that_a_document_names_exists():
    pages = ("docs/channel-or-mutex.md", "docs/corrections.md")
    said = "".join((ROOT / page).read_text(encoding="utf-8") for page in pages)
    named = set(re.findall(r"\b[A-Z]{2}-\d\d\b", said))

    assert named
    assert named <= set(clauses())
