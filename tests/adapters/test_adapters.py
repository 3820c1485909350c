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
from typing import Any

import pytest
import trio

import quiesce
import quiesce_adapters
from quiesce.adapters import Adapter, adapters_of
from quiesce.patterns.registry import PATTERNS

MODULES = sorted(found.name for found in pkgutil.iter_modules(quiesce_adapters.__path__))

#: Longest file, in lines that are neither blank nor a comment. It is per library; the
#: reference is a whole family.
LONGEST = 60

ONCE_LACKS = {"own_function", "value", "single_init", "reentrance_error", "release", "stop"}
FLIGHT_LACKS = {
    *("shared", "future", "forget", "errors_shared", "reentrance_error", "exit", "release"),
    "stop",
}
RATE_LACKS = {
    *("allow", "wait", "deadline", "reserve", "set_rate", "set_burst", "tokens", "weighted"),
    *("infinite_rate", "zero_rate", "zero_burst", "wait_cancel", "stop"),
    *("zero_tokens", "negative", "free_refusals"),
}
#: pattern -> what may be lacked, the dialects, the constructor, the methods. A method has a
#: capability (empty: always there), parameters, and whether it is plain in async worlds too.
PORTS: dict[str, tuple[set[str], dict[str, set[str]], list[str], dict[str, Any]]] = {
    "once": (
        ONCE_LACKS,
        {
            "once_error": {"stored", "done_silently", "retry"},
            "once_cancel": {"retry", "detached", "none"},
        },
        ["work"],
        {"call": ("", [], False), "call_own": ("own_function", ["work"], False)},
    ),
    "singleflight": (
        FLIGHT_LACKS,
        {
            "sf_cancel": {"detached", "inline", "none"},
            "sf_last_cancel": {"cancels", "continues"},
            "remembers": {"nothing", "values"},
        },
        [],
        {
            "do": ("", ["key", "work"], False),
            "do_future": ("future", ["key", "work"], True),
            "forget": ("forget", ["key"], True),
        },
    ),
    "rate_limiter": (
        RATE_LACKS,
        {
            "rate_algorithm": {"token_bucket", "leaky", "sliding_window", "fixed_window"},
            "rate_cancel": {"exact", "go", "none"},
            "rate_zero": {"refuse", "current", "none"},
            "rate_rounding": {"exact", "float"},
        },
        ["rate", "burst"],
        {
            "allow": ("allow", ["n"], False),
            "wait": ("wait", ["n"], False),
            "wait_until": ("deadline", ["n", "timeout"], False),
            "reserve": ("reserve", ["n"], False),
            "set_rate": ("set_rate", ["rate"], False),
            "set_burst": ("set_burst", ["burst"], False),
            "tokens": ("tokens", [], False),
        },
    ),
}


def load(module: str) -> Any:
    """The module of adapters; the test is skipped if its library is not installed."""
    try:
        return importlib.import_module(f"quiesce_adapters.{module}")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("quiesce"):
            raise
        pytest.skip(f"{error.name} is not installed")


def declared() -> list[Any]:
    """One parameter for each cell of an installed library."""
    cells = []
    for module in MODULES:
        with contextlib.suppress(pytest.skip.Exception):
            cells += [pytest.param(record, id=record.cell) for record in adapters_of(load(module))]
    return cells


def class_of(record: Adapter) -> Any:
    return getattr(importlib.import_module(record.module), record.qualname)


def source_of(module: str) -> str:
    (folder,) = quiesce_adapters.__path__
    return Path(folder, f"{module}.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("module", MODULES)
def test_a_module_declares_an_adapter_and_says_what_it_is(module: str) -> None:
    loaded = load(module)
    assert adapters_of(loaded)
    assert loaded.__doc__.splitlines()[0].endswith((".", ","))


@pytest.mark.parametrize("module", MODULES)
def test_a_library_takes_one_short_file(module: str) -> None:
    lines = [line.strip() for line in source_of(module).splitlines()]
    code = [line for line in lines if line and not line.startswith("#")]
    assert module.startswith("reference_") or len(code) <= LONGEST


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
    lacks, dialects, _, _ = PORTS[record.pattern]
    assert record.lacks <= lacks
    assert set(record.dialect) == set(dialects)
    assert all(value in dialects[flag] for flag, value in record.dialect.items())
    pattern = PATTERNS.get(record.pattern)
    if pattern is not None:
        assert record.lacks <= set(pattern.capabilities)
        assert all(value in pattern.dialects[flag] for flag, value in record.dialect.items())


@pytest.mark.parametrize("record", declared())
def test_a_class_offers_its_port_except_for_what_it_lacks(record: Adapter) -> None:
    cls = class_of(record)
    _, _, constructor, methods = PORTS[record.pattern]
    assert cls.__doc__
    assert list(inspect.signature(cls).parameters) == constructor
    for name, (capability, parameters, plain) in methods.items():
        if capability in record.lacks:
            assert not hasattr(cls, name), f"{name} could be claimed"
            continue
        method = getattr(cls, name)
        assert list(inspect.signature(method).parameters) == ["self", *parameters]
        is_async = record.world != "threads" and not plain
        assert inspect.iscoroutinefunction(method) == is_async


@pytest.mark.parametrize("record", declared())
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
