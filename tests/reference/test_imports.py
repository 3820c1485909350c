"""The reference stands alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
import {library}
before = set(sys.modules)
import quiesce_reference.{part}
new = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(*sorted(new - sys.stdlib_module_names - {{"quiesce_reference"}}))
"""


@pytest.mark.parametrize(
    ("part", "library"),
    [("threads", "sys"), ("token_bucket", "sys"), ("aio", "anyio.lowlevel")],
)
def test_a_part_imports_nothing_but_its_own_library(part: str, library: str) -> None:
    program = PROGRAM.format(part=part, library=library)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
