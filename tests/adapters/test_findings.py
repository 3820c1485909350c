"""Each published finding shows itself, without the kit, on the version that it names."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "findings"
SCRIPTS = sorted(FOLDER.glob("[0-9]*.py"))
LIBRARY = re.compile(r"^Library: (?P<name>.+?)(?: (?P<version>[\d.]*\d))?\. Python: ", re.MULTILINE)


def docstring_of(script: Path) -> str:
    return ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or ""


def reason_to_skip(docstring: str) -> str | None:
    """Why the finding can't show itself here, None if it can."""
    found = LIBRARY.search(docstring)
    assert found, "the docstring names no library and version"
    name, version = found["name"], found["version"]
    if name != "standard library":
        try:
            installed = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return f"{name} is not installed"
        if installed != version:
            return f"{name} is {installed} here, the finding is about {version}"
    pythons, _, _ = docstring[found.end() :].partition("Clause:")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return None if python in pythons else f"not about Python {python}"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_finding_says_what_and_why(script: Path) -> None:
    docstring = docstring_of(script)
    for word in ("Library: ", "Python: ", "Clause: ", "Known as: ", "Judgement: ", "Why: "):
        assert word in docstring
    assert script.name in (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_finding_shows_itself(script: Path) -> None:
    reason = reason_to_skip(docstring_of(script))
    if reason is not None:
        pytest.skip(reason)
    run = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False
    )
    assert [line for line in run.stdout.splitlines() if line.startswith("BUG")], run.stderr
    assert run.returncode == 1
