"""Adapters: how a library is put under test, declared, found and checked.

An adapter is a plain class of about 15 lines under the ``adapter`` decorator. It offers
the methods of its pattern's port (see ``quiesce.patterns``) and declares what its
library does not offer (``lacks``) and which of several legitimate behaviours it has
(``dialect``).
"""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import importlib.util
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Literal, TypeVar

import attrs

from quiesce.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Adapter", "Discovery", "Missing", "adapter", "adapters_of", "discover"]

#: Entry-point group under which installed packages offer modules full of adapters.
ENTRY_POINTS = "quiesce.adapters"

#: Which scope a scope cancellation uses in asyncio.
Scope = Literal["timeout", "anyio"]

_RECORDS = "__quiesce_adapters__"
C = TypeVar("C", bound=type)


@attrs.frozen
class Adapter:
    """What one adapter class declares; the class itself is named, not held.

    The thread world imports the class's module afresh, so ``module`` and ``qualname``
    identify it, never the class object.
    """

    name: str  # as reports and ``-a`` show it
    pattern: str
    world: str
    module: str
    qualname: str
    distribution: str | None = None  # on PyPI, None for the standard library and own code
    requires: tuple[str, ...] = ()  # import names that must be there for it to run
    packages: tuple[str, ...] = ()  # import names whose code is under test
    lacks: frozenset[str] = frozenset()
    dialect: Mapping[str, str] = attrs.field(factory=dict)
    scope: Scope = "timeout"  # asyncio: which scope cancels ("timeout" or "anyio")

    @property
    def cell(self) -> str:
        """Id of the cell: ``pattern/adapter/world``."""
        return f"{self.pattern}/{self.name}/{self.world}"

    @property
    def installed(self) -> bool:
        """Whether everything that it requires can be found (nothing is imported)."""
        return all(importlib.util.find_spec(name) is not None for name in self.requires)

    @property
    def version(self) -> str | None:
        """Version of the distribution under test, None if it has none."""
        if self.distribution is None:
            return None
        try:
            return importlib.metadata.version(self.distribution)
        except importlib.metadata.PackageNotFoundError:
            return None


def adapter(
    pattern: str,
    *,
    world: str | Iterable[str],
    name: str | None = None,
    distribution: str | None = None,
    packages: Iterable[str] = (),
    requires: Iterable[str] | None = None,
    lacks: Iterable[str] = (),
    dialect: Mapping[str, str] | None = None,
    scope: Scope = "timeout",
) -> Callable[[C], C]:
    """Declare a class as the adapter of a library for a pattern.

    Args:
      pattern: ``once``, ``singleflight``, ``rate_limiter``; ``quiesce list patterns``.
      world: ``threads``, ``asyncio``, ``trio``, or several of them.
      name: what reports call it; by default the distribution's name, else the class's.
      distribution: the library's name on PyPI, for its version.
      packages: import names of the code under test. In ``threads`` they are imported
        again over the simulated standard library and instrumented; everywhere their
        clocks follow virtual time. By default the distribution's own name, with ``-``
        as ``_``.
      requires: import names without which the adapter is "not installed"; by default
        ``packages``.
      lacks: capabilities that the library does not offer; see the pattern's port.
      dialect: choices among legitimate behaviours; see the pattern.
      scope: in asyncio, which scope a scope cancellation uses: ``timeout``
        (``asyncio.timeout``) or ``anyio`` (``anyio.CancelScope``).

    Raises:
      ConfigurationError: the decorated object is no class.
    """
    worlds = (world,) if isinstance(world, str) else tuple(world)
    packages = tuple(packages)
    if not packages and distribution is not None:
        packages = (distribution.replace("-", "_"),)

    def declare(cls: C) -> C:
        if not isinstance(cls, type):
            message = f"@quiesce.adapter goes on a class, not on {cls!r}."
            raise ConfigurationError(message)
        records = tuple(
            Adapter(
                name=name or distribution or cls.__name__,
                pattern=pattern,
                world=each,
                module=cls.__module__,
                qualname=cls.__qualname__,
                distribution=distribution,
                requires=packages if requires is None else tuple(requires),
                packages=packages,
                lacks=frozenset(lacks),
                dialect=dict(dialect or {}),
                scope=scope,
            )
            for each in worlds
        )
        setattr(cls, _RECORDS, vars(cls).get(_RECORDS, ()) + records)
        return cls

    return declare


def adapters_of(target: object) -> tuple[Adapter, ...]:
    """The adapters that a class, or all classes of a module, declare.

    Raises:
      ConfigurationError: there are none.
    """
    if isinstance(target, ModuleType):
        found = [
            record
            for value in vars(target).values()
            if isinstance(value, type) and value.__module__ == target.__name__
            for record in vars(value).get(_RECORDS, ())
        ]
    else:
        found = list(getattr(target, "__dict__", {}).get(_RECORDS, ()))
    if not found:
        message = (
            f"{target!r} declares no adapter. Put @quiesce.adapter(pattern, world=...) on the "
            "class, and name the class or its module."
        )
        raise ConfigurationError(message)
    return tuple(found)


@attrs.frozen(order=True)
class Missing:
    """A module of adapters that can't be imported, for want of a library."""

    module: str
    library: str  # import name
    distribution: str  # what to install: not always named like what it brings

    @classmethod
    def of(cls, module: str, library: str) -> Missing:
        """Look in the module's source for what it declares, since it can't be imported."""
        for distribution in _declared_distributions(module):
            try:
                importlib.metadata.version(distribution)
            except importlib.metadata.PackageNotFoundError:
                return cls(module, library, distribution)
        return cls(module, library, library.replace("_", "-"))


def _declared_distributions(module: str) -> Iterable[str]:
    spec = importlib.util.find_spec(module)
    assert spec is not None  # it was found, and failed to import another
    assert spec.origin is not None
    for node in ast.walk(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.keyword)
            and node.arg == "distribution"
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            yield node.value.value


@attrs.frozen
class Discovery:
    """What was found: adapters to run, and modules whose libraries are not installed."""

    adapters: tuple[Adapter, ...]
    missing: tuple[Missing, ...]


def discover(targets: Iterable[str] = ()) -> Discovery:
    """Find adapters: those named, or else all that installed packages offer.

    Args:
      targets: ``module:attribute`` or ``module``. Without any, every module of every
        package under the entry-point group ``quiesce.adapters``.

    Raises:
      ConfigurationError: a target can't be imported, does not exist or is no adapter.
    """
    targets = tuple(targets)
    if targets:
        named = tuple(record for target in targets for record in adapters_of(_resolve(target)))
        return Discovery(named, ())
    found: list[Adapter] = []
    missing: list[Missing] = []
    for entry in sorted(
        importlib.metadata.entry_points(group=ENTRY_POINTS), key=lambda entry: entry.value
    ):
        for module_name in _modules_of(entry.value):
            try:
                module = importlib.import_module(module_name)
            except ModuleNotFoundError as error:
                if error.name is None or error.name.startswith(entry.value):
                    raise
                missing.append(Missing.of(module_name, error.name))
                continue
            found.extend(record for record in adapters_of(module))
    return Discovery(tuple(sorted(found, key=lambda record: record.cell)), tuple(sorted(missing)))


def _modules_of(package_name: str) -> Iterable[str]:
    package = importlib.import_module(package_name)
    for found in pkgutil.walk_packages(package.__path__, package_name + "."):
        if not found.ispkg:
            yield found.name


def _resolve(target: str) -> object:
    module_name, _, attribute = target.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        message = f"The adapter {target!r} can't be imported: {error}."
        raise ConfigurationError(message) from error
    if not attribute:
        return module
    try:
        return getattr(module, attribute)
    except AttributeError:
        message = f"The module {module_name!r} has no attribute {attribute!r}."
        raise ConfigurationError(message) from None
