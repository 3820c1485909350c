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
import os
from itertools import groupby
from pathlib import Path

from quiesce.twins import Kill, report

HERE = Path(__file__).parent
EXPECTED = HERE / "expected"


def show(row: Kill) -> None:
    lost = f"  MISSED BY {', '.join(row.missed)}" if row.missed else ""
    print(f"{row.key:45} {' '.join(row.clauses) or '-'}{lost}{row.error or ''}", flush=True)


def main(patterns: list[str]) -> None:
    EXPECTED.mkdir(exist_ok=True)
    rows = report(HERE, patterns, show, workers=os.cpu_count() or 1)
    for pattern, own in groupby(rows, key=lambda row: row.pattern):
        matrix = {row.key: list(row.clauses) for row in own}
        text = json.dumps(matrix, indent=2, sort_keys=True) + "\n"
        (EXPECTED / f"{pattern}.json").write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
