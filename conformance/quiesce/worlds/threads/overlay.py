"""The overlay: a second set of modules that code in the world imports instead.

``threading``, ``queue``, ``concurrent.futures``, ``asyncio`` and a few more are executed
again from their own source, over the simulated ``_thread`` and ``time``; so are the
packages under test. ``sys.modules`` holds them only while the world runs or a class is
loaded: the hub, Hypothesis and pytest never meet a simulated module.

What is shared with the hub: every other module, extension modules, and the exception
classes of the standard library. Exceptions that a package under test defines are other
classes than the hub's of the same name, so compare them by qualified name.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from contextlib import contextmanager, suppress
from importlib.abc import Loader
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, Final, final

import attrs

from quiesce.errors import ConfigurationError, HarnessError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from quiesce.worlds.threads.core import Core

__all__ = ["Overlay"]

#: Modules of the standard library with a copy of their own; those with a dot behind as well.
_STANDARD: Final = frozenset(
    {
        "_asyncio",
        "_queue",
        "_thread",
        "_threading_local",
        "asyncio",
        "concurrent",
        "datetime",
        "functools",
        "os",
        "queue",
        "random",
        "sched",
        "selectors",
        "threading",
        "time",
    }
)

#: Never loaded twice: the kit's own state and the hub's machinery have one identity.
_SHARED: Final = frozenset(
    {"_pytest", "attr", "attrs", "greenlet", "hypothesis", "pytest", "quiesce"}
)

#: A script run as ``__main__`` is executed again under this name, so its main block stays quiet.
_MAIN: Final = "__quiesce_main__"


@final
@attrs.define(eq=False)
class Overlay:
    """The modules of one factory.

    Attributes:
      packages: names of packages and modules under test.
      simulated: ready-made modules, by name. None is a module that can't be imported.
      on_demand: those that are made when somebody imports them.
      adjust: what to do with a module of the standard library once it is executed.
      instrument: given the code of each module under test before it is executed.
    """

    core: Core
    packages: tuple[str, ...]
    simulated: dict[str, ModuleType | None]
    on_demand: dict[str, Callable[[], ModuleType]]
    adjust: dict[str, Callable[[ModuleType], None]]
    instrument: Callable[[CodeType], None]

    _inside: dict[str, ModuleType | None] = attrs.Factory(dict)

    # What sys.modules holds in the hub under our names, and how long it was when we looked.
    _outside: dict[str, Any] = attrs.Factory(dict)
    _absent: list[str] = attrs.Factory(list)
    _hidden: list[str] = attrs.Factory(list)
    _outside_size: int = -1
    _inside_size: int = -1

    def __attrs_post_init__(self) -> None:
        for name in self.packages:
            top = name.partition(".")[0]
            if top in _SHARED:
                raise ConfigurationError(f"{name} can't be put under test: the kit itself uses it")
        self._inside.update(self.simulated)
        for name in self.packages:
            with suppress(ImportError):  # a package that isn't there will be missed when it is used
                self._share_parents(name)
        with self.active():
            for name in ("functools", "threading", "queue", "concurrent.futures.thread"):
                importlib.import_module(name)

    def module(self, name: str) -> ModuleType | None:
        """The world's module of that name, if it was loaded."""
        return self._inside.get(name)

    def load(self, name: str) -> ModuleType:
        """Import a module over the simulated standard library.

        Args:
          name: of an importable module, or of one that the hub has imported from a file.

        Raises:
          ConfigurationError: there is neither.
        """
        hub = sys.modules.get(name)
        file = getattr(hub, "__file__", None)
        if name == "__main__":
            name = _MAIN
        loaded = self._inside.get(name)
        if loaded is not None:
            return loaded
        if self.core.running:
            raise HarnessError(f"module {name} has to be loaded before the world runs")
        if not self.is_under_test(name):
            self.packages = (*self.packages, name)
            self._outside_size = -1
            self._share_parents(name)
        with self.active():
            try:
                return importlib.import_module(name)
            except ModuleNotFoundError as error:
                if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                    raise
                if file is None:
                    raise ConfigurationError(
                        f"the adapter's module {name} can't be imported again: it is not on "
                        "sys.path and no loaded module of that name has a file"
                    ) from None
            return self._execute_file(name, file)

    def is_under_test(self, name: str) -> bool:
        """Whether a module belongs to the packages under test."""
        return any(name == own or name.startswith(f"{own}.") for own in self.packages)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Have the overlay in ``sys.modules`` while the block runs."""
        self.enter()
        try:
            yield
        finally:
            self.leave()

    def enter(self) -> None:
        """Put the overlay into ``sys.modules``."""
        modules = sys.modules
        if len(modules) != self._outside_size:
            self._survey()
        for name in self._hidden:
            del modules[name]
        modules.update(self._inside)  # type: ignore[arg-type]  # None bars an import, as documented
        self._inside_size = len(modules)
        sys.meta_path.insert(0, self)

    def leave(self) -> None:
        """Put the hub's modules back."""
        modules = sys.modules
        sys.meta_path.remove(self)
        if len(modules) != self._inside_size:
            new = [name for name in modules if name not in self._inside and self._is_own(name)]
            self._inside.update((name, modules.pop(name)) for name in new)
            self._outside_size = -1  # survey again: shared modules were imported as well
        for name in self._absent:
            modules.pop(name, None)
        modules.update(self._outside)

    def _is_own(self, name: str) -> bool:
        top = name.partition(".")[0]
        if top in _STANDARD:
            return top != "os" or name == "os"
        return self.is_under_test(name)

    def _survey(self) -> None:
        modules = sys.modules
        inside = self._inside
        self._hidden = [name for name in modules if name not in inside and self._is_own(name)]
        self._absent = [name for name in inside if name not in modules]
        names = (*(name for name in inside if name in modules), *self._hidden)
        self._outside = {name: modules[name] for name in names}
        self._outside_size = len(modules)

    def _share_parents(self, name: str) -> None:
        """Give a module under test a parent that the hub doesn't share.

        Importing a submodule sets an attribute of its package. So that it isn't the hub's, the
        overlay has a copy of the package, which isn't executed again.
        """
        parent = name.rpartition(".")[0]
        if not parent or parent in self._inside or self.is_under_test(parent):
            return
        self._share_parents(parent)
        hub = importlib.import_module(parent)
        copy = ModuleType(parent, hub.__doc__)
        copy.__dict__.update(hub.__dict__)
        self._inside[parent] = copy

    def _execute_file(self, name: str, file: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None
        assert spec.loader is not None
        spec.loader = _Loader(self, spec.loader)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module: a simulated one, one of ours as anybody would, or the hub's."""
        if not self._is_own(name):
            return self._import_in_hub(name)
        if name in self.on_demand:
            return ModuleSpec(name, _Same(self.on_demand[name]()))
        spec = self._find_elsewhere(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        if not hasattr(spec.loader, "get_code") or spec.origin is None:
            return spec
        if spec.origin.endswith(tuple(EXTENSION_SUFFIXES)):
            hub = self._outside.get(name)
            return spec if hub is None else ModuleSpec(name, _Same(hub), origin=spec.origin)
        if name == "asyncio.exceptions" and name in self._outside:
            return ModuleSpec(name, _Same(self._outside[name]), origin=spec.origin)
        spec.loader = _Loader(self, spec.loader)
        return spec

    def _import_in_hub(self, name: str) -> ModuleSpec:
        """Import a shared module as the hub would: it must not bind anything simulated."""
        self.leave()
        try:
            module = importlib.import_module(name)
        finally:
            self.enter()
        # importlib takes a module that is there already for the finder's own work, and would
        # execute it by its own specification once more. It is put back by what we return.
        del sys.modules[name]
        return ModuleSpec(name, _Same(module))

    def _find_elsewhere(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        for finder in sys.meta_path:
            # pytest's finder rewrites assertions, and has no code to give that we could watch
            if finder is self or type(finder).__module__.startswith("_pytest."):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                return spec
        return None

    def execute(self, module: ModuleType, code: CodeType) -> None:
        """Run a module's code, watched if it is under test, and adjust it."""
        name = module.__name__
        if self.is_under_test(name):
            self.instrument(code)
        ready = self.core.ready
        others = ready[:]
        ready.clear()  # no preemption: importlib takes another task for a circular import
        try:
            exec(code, module.__dict__)
        finally:
            ready[:0] = others
        if name.partition(".")[0] in _STANDARD:
            _share_exceptions(module, self._outside.get(name))
            adjust = self.adjust.get(name)
            if adjust is not None:
                adjust(module)


def _share_exceptions(module: ModuleType, hub: ModuleType | None) -> None:
    """Let a copy raise the hub's classes, so that ``except queue.Full`` works in a test."""
    if hub is None:
        return
    for name, value in list(vars(module).items()):
        if (
            isinstance(value, type)
            and issubclass(value, BaseException)
            and value.__module__ == module.__name__
            and hasattr(hub, name)
        ):
            setattr(module, name, getattr(hub, name))


@final
class _Loader(Loader):
    """Loads a module for the overlay, from the code that its own loader finds."""

    def __init__(self, overlay: Overlay, loader: Loader) -> None:
        self._overlay = overlay
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        assert spec is not None
        # From here on nobody has to know: linecache, inspect and importlib.resources ask loaders.
        spec.loader = self._loader
        module.__loader__ = self._loader
        code = self._loader.get_code(spec.name)  # type: ignore[attr-defined]  # checked by find_spec
        if code is None:
            raise ImportError(f"no code for module {spec.name}", name=spec.name)
        self._overlay.execute(module, code)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


@final
class _Same(Loader):
    """Loads a module that exists already."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._spec = module.__spec__

    def create_module(self, _spec: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec
