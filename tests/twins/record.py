"""Write the kill matrix anew: ``python tests/twins/record.py [PATTERN ...]``.

Read the difference before you commit it: a clause that no longer kills its twin is a hole
in the kit, and a twin that dies by one clause more has become less sharp.
"""

from __future__ import annotations

import sys

# This folder's select.py is not the standard library's.
if sys.path[0].endswith("twins"):
    sys.path.pop(0)

import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from quiesce.patterns.registry import PATTERNS
from quiesce.twins import Kill, kill, load_twins

HERE = Path(__file__).parent
EXPECTED = HERE / "expected"


def row(index: tuple[str, int]) -> Kill:
    """The row of one twin, in a process of its own."""
    pattern, number = index
    return kill(load_twins(HERE, [pattern])[number])


def main(patterns: list[str]) -> None:
    EXPECTED.mkdir(exist_ok=True)
    for pattern in patterns or sorted(PATTERNS):
        tasks = [(pattern, number) for number in range(len(load_twins(HERE, [pattern])))]
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as executor:
            rows = sorted(executor.map(row, tasks), key=lambda row: row.key)
        for each in rows:
            lost = f"  MISSED BY {', '.join(each.missed)}" if each.missed else ""
            print(f"{each.key:45} {' '.join(each.clauses) or '-'}{lost}{each.error or ''}")
        matrix = {each.key: list(each.clauses) for each in rows}
        text = json.dumps(matrix, indent=2, sort_keys=True) + "\n"
        (EXPECTED / f"{pattern}.json").write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
