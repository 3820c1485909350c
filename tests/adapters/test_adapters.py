"""The adapters are well-formed, and their libraries do the plainest thing through them."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import importlib
import inspect
import pkgutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trio

import quiesce
import quiesce_adapters
from quiesce.adapters import Adapter, adapters_of
from quiesce.patterns.registry import PATTERNS

if TYPE_CHECKING:
    from collections.abc import Container

MODULES = sorted(
    found.name.removeprefix("quiesce_adapters.")
    for found in pkgutil.walk_packages(quiesce_adapters.__path__, "quiesce_adapters.")
    if not found.ispkg
)

#: Longest file, in lines that are neither blank nor a comment.
LONGEST = 60

#: Patterns whose plainest use needs no caller beside the test.
EXERCISED = ("once", "singleflight", "rate_limiter")


def load(module: str) -> Any:
    """The module of adapters; the test is skipped if its library is not installed."""
    try:
        return importlib.import_module(f"quiesce_adapters.{module}")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("quiesce"):
            raise
        pytest.skip(f"{error.name} is not installed")


def declared(patterns: Container[str] = PATTERNS) -> list[Any]:
    """One parameter for each cell of these patterns of an installed library."""
    cells = []
    for module in MODULES:
        with contextlib.suppress(pytest.skip.Exception):
            cells += [
                pytest.param(record, id=record.cell)
                for record in adapters_of(load(module))
                if record.pattern in patterns
            ]
    return cells


def class_of(record: Adapter) -> Any:
    return getattr(importlib.import_module(record.module), record.qualname)


def source_of(module: str) -> str:
    (folder,) = quiesce_adapters.__path__
    return Path(folder, *module.split(".")).with_suffix(".py").read_text(encoding="utf-8")


@pytest.mark.parametrize("module", MODULES)
def test_a_module_declares_an_adapter_and_says_what_it_is(module: str) -> None:
    loaded = load(module)
    assert adapters_of(loaded)
    assert loaded.__doc__.splitlines()[0].endswith((".", ","))


@pytest.mark.parametrize("module", MODULES)
def test_a_library_takes_one_short_file(module: str) -> None:
    lines = [line.strip() for line in source_of(module).splitlines()]
    code = [line for line in lines if line and not line.startswith("#")]
    assert len(code) <= LONGEST


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_its_library_and_public_names_only(module: str) -> None:
    allowed = {"quiesce", *sys.stdlib_module_names}
    for record in adapters_of(load(module)):
        allowed |= {*record.packages, *record.requires}
    for node in ast.walk(ast.parse(source_of(module))):
        if isinstance(node, ast.Import):
            assert {alias.name.partition(".")[0] for alias in node.names} <= allowed
            assert not [alias.name for alias in node.names if alias.name.startswith("quiesce.")]
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").partition(".")[0] in allowed - {"quiesce"}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert node.value.id != "quiesce" or node.attr in quiesce.__all__


@pytest.mark.parametrize("record", declared())
def test_declarations_use_known_words(record: Adapter) -> None:
    pattern = PATTERNS[record.pattern]
    assert record.lacks <= set(pattern.capabilities)
    assert all(value in pattern.dialects[flag] for flag, value in record.dialect.items())


@pytest.mark.parametrize("record", declared())
def test_a_class_offers_its_port_except_for_what_it_lacks(record: Adapter) -> None:
    cls = class_of(record)
    pattern = PATTERNS[record.pattern]
    assert cls.__doc__
    arguments = {*pattern.constructor, *pattern.functions}
    assert set(inspect.signature(cls).parameters) == arguments
    for method in pattern.port:
        if method.receiver is not None:
            continue
        if method.capability in record.lacks:
            assert not hasattr(cls, method.name), f"{method.name} could be claimed"
            continue
        offered = getattr(cls, method.name)
        names = [name.lstrip("_") for name in inspect.signature(offered).parameters]
        assert names == ["self", *method.parameters]  # one with an underscore is not used
        is_async = record.world != "threads" and method.is_async
        assert inspect.iscoroutinefunction(offered) == is_async


@pytest.mark.parametrize("record", declared(EXERCISED))
def test_two_plain_calls_in_the_real_world_get_their_answers(record: Adapter) -> None:
    if record.world == "threads":
        with pytest.raises(StopIteration):
            exercise(record).send(None)
    elif record.world == "asyncio":
        asyncio.run(exercise(record))
    else:
        trio.run(exercise, record)


async def exercise(record: Adapter) -> None:
    """Make an object and call it twice, where that needs no waiting.

    For threads it is no coroutine but in name: it never suspends.
    """
    is_async = record.world != "threads"
    values = [object(), object()]
    made = iter(values)

    def work() -> Any:
        async def later() -> object:
            return next(made)

        return later() if is_async else next(made)

    async def get(answer: Any) -> Any:
        return await answer if is_async else answer

    arguments = {"once": (work,), "singleflight": (), "rate_limiter": (0.01, 2)}
    subject = class_of(record)(*arguments[record.pattern])
    async with contextlib.AsyncExitStack() as stack:
        if hasattr(subject, "lifespan"):
            await stack.enter_async_context(subject.lifespan())
        if record.pattern == "once":
            expected = [None, None] if "value" in record.lacks else [values[0], values[0]]
            assert [await get(subject.call()), await get(subject.call())] == expected
        elif record.pattern == "singleflight":
            answers = [await get(subject.do("key", work)), await get(subject.do("key", work))]
            if "shared" not in record.lacks:
                assert [shared for _, shared in answers] == [False, False]
                answers = [value for value, _ in answers]
            remembers = record.dialect["remembers"] == "values"
            assert answers == ([values[0], values[0]] if remembers else values)
        elif "allow" in record.lacks:
            assert [await get(subject.wait(1)), await get(subject.wait(1))] == [None, None]
        else:
            assert [await get(subject.allow(1)) for _ in range(3)] == [True, True, False]
