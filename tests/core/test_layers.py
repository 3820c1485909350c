"""Which part may import which, read from the sources, and what ``import quiesce`` brings."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import quiesce
import quiesce_adapters
import quiesce_reference

from .conftest import python

KIT = Path(quiesce.__file__).parent
ADAPTERS = Path(quiesce_adapters.__file__).parent
REFERENCE = Path(quiesce_reference.__file__).parent
OURS = ("quiesce", "quiesce_adapters", "quiesce_reference")
WORLDS = ("threads", "asyncio", "trio")


def module_of(path: Path) -> str:
    """The dotted name of a source file."""
    for root in (KIT, ADAPTERS, REFERENCE):
        if path.is_relative_to(root):
            parts = (root.name, *path.relative_to(root).with_suffix("").parts)
            return ".".join(part for part in parts if part != "__init__")
    raise ValueError(path)


def imports(path: Path) -> set[str]:
    """Dotted names of everything that a file imports, for type checkers too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            assert node.module is not None
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def offenders(root: Path, *forbidden: str) -> dict[str, list[str]]:
    """Files below ``root`` that import something below the forbidden names."""
    found = {}
    for path in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
        wrong = sorted(
            name
            for name in imports(path)
            if any(f"{name}.".startswith(f"{each}.") for each in forbidden)
        )
        if wrong:
            found[module_of(path)] = wrong
    return found


def test_the_reference_depends_on_nothing_of_ours_and_on_no_test_tool() -> None:
    forbidden = ("quiesce", "quiesce_adapters", "hypothesis", "pytest", "attr", "attrs", "greenlet")

    assert offenders(REFERENCE, *forbidden) == {}


def test_the_kit_depends_on_neither_adapters_nor_reference() -> None:
    assert offenders(KIT, "quiesce_adapters", "quiesce_reference") == {}


def test_adapters_use_the_public_names_of_the_kit_only() -> None:
    public = {f"quiesce.{name}" for name in quiesce.__all__} | {"quiesce"}
    used = {
        module_of(path): sorted(
            name
            for name in imports(path)
            if name.partition(".")[0] == "quiesce" and name not in public
        )
        for path in sorted(ADAPTERS.rglob("*.py"))
    }

    assert {module: names for module, names in used.items() if names} == {}


@pytest.mark.parametrize("root", [KIT / "patterns", KIT / "model.py", KIT / "stimuli.py"])
def test_patterns_and_models_know_no_world(root: Path) -> None:
    forbidden = [f"quiesce.worlds.{world}" for world in WORLDS]

    assert offenders(root, *forbidden, "quiesce.trial", "quiesce.machine", "hypothesis") == {}


def test_worlds_know_no_pattern_and_none_of_the_kit_above_them() -> None:
    above = ("patterns", "model", "trial", "machine", "check", "search", "adapters", "verdicts")

    assert offenders(KIT / "worlds", *(f"quiesce.{name}" for name in above)) == {}


@pytest.mark.parametrize("world", WORLDS)
def test_a_world_is_built_without_the_others(world: str) -> None:
    others = [f"quiesce.worlds.{other}" for other in WORLDS if other != world]

    assert offenders(KIT / "worlds" / world, *others) == {}


def test_schedulers_know_no_world() -> None:
    assert offenders(KIT / "schedulers", "quiesce.worlds", "quiesce.patterns") == {}


def test_only_the_command_line_and_reports_use_what_comes_with_it() -> None:
    users = {*offenders(KIT, "click", "rich")}

    assert users <= {f"quiesce.{name}" for name in ("cli", "commands", "console")} | {
        module for module in users if module.startswith("quiesce.reports.")
    }


#: Comes with attrs or with Python; everything else that is heavy must wait until it is needed.
HEAVY = ("hypothesis", "trio", "anyio", "pytest", "_pytest", "click", "rich", "greenlet", "cattrs")


@pytest.mark.parametrize(
    ("program", "unwanted"),
    [
        ("import quiesce", HEAVY),
        ("import quiesce.pytest_plugin", ("hypothesis", "trio", "anyio", "click", "greenlet")),
        ("import quiesce.worlds.asyncio", ("hypothesis", "trio", "anyio", "pytest")),
        ("import quiesce.worlds.threads", ("hypothesis", "trio", "anyio", "pytest", "asyncio")),
        ("import quiesce_reference.threads", (*HEAVY, "attr", "quiesce")),
        ("import quiesce_reference.aio", ("hypothesis", "trio", "pytest", "attr", "quiesce")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_importing_brings_nothing_that_is_not_needed(
    program: str, unwanted: tuple[str, ...]
) -> None:
    done = python("-c", f"{program}; import sys; print(*sys.modules)")

    assert done.returncode == 0, done.stderr
    assert sorted(set(unwanted) & set(done.stdout.split())) == []
