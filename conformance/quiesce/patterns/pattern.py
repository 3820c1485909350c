"""What a pattern is: a promise, clauses, a port, a model and the stimuli that exercise it.

Each pattern's own file fills one ``Pattern``. Everything that runs patterns (the machine,
the checker, reports) knows only what stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from quiesce.clauses import names
from quiesce.functions import WORK, Shape

if TYPE_CHECKING:
    from collections.abc import Hashable

    from quiesce.adapters import Adapter
    from quiesce.clauses import Clause
    from quiesce.model import Model
    from quiesce.stimuli import Choice, Step, Weighted

__all__ = ["Method", "ModelFactory", "Pattern", "Scenario"]


@attrs.frozen
class Method:
    """One method of a pattern's port: what an adapter offers."""

    name: str
    parameters: tuple[str, ...]
    summary: str
    capability: str | None = None  # None: every adapter has it
    #: In async worlds a coroutine function; plain methods return at once in every world.
    is_async: bool = True
    #: Returns at once an object that delivers later: ``result()`` or awaitable.
    future: bool = False
    #: The receiver is not the subject but what an earlier call of this operation returned.
    receiver: str | None = None
    #: The first argument is what an earlier call of this operation, or of these, returned.
    takes: str | tuple[str, ...] = ()
    #: An adapter that lacks this capability is given each result once only.
    takes_again: str | None = None
    #: Its parameters that are user functions, and how they are called.
    functions: Mapping[str, Shape] = attrs.field(factory=lambda: {WORK: Shape.PLAIN})
    #: Raising an error of the subject's own is an answer, seen as "refused".
    refuses: bool = False
    #: The instant at which the call ends belongs to its outcome.
    timed: bool = False
    #: Makes of the returned value, at once and in the caller, what is compared.
    read: Callable[[Any], Hashable] | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The operations whose results it works on, if any. Their methods have ``read``."""
        names = self.receiver or self.takes
        return (names,) if isinstance(names, str) else names


#: Makes the model that predicts an adapter whose constructor got these arguments.
ModelFactory = Callable[["Adapter", Mapping[str, object]], "Model"]


@attrs.frozen
class Scenario:
    """A fixed list of steps that is always run first, so that no clause stays unexercised."""

    name: str
    steps: tuple[Step, ...]
    needs: frozenset[str] = attrs.field(factory=frozenset, converter=names)
    worlds: tuple[str, ...] = ("threads", "asyncio", "trio")
    arguments: Mapping[str, object] = attrs.field(factory=dict)


@attrs.frozen
class Pattern:
    """One pattern of concurrent programs, specified."""

    name: str
    title: str
    promise: str  # what the pattern is for and what it promises, in a paragraph
    clauses: tuple[Clause, ...]
    port: tuple[Method, ...]
    #: Arguments of the adapter's constructor, each with the values that are tried.
    constructor: Mapping[str, Choice]
    #: Arguments of the constructor that are user functions, and how they are called.
    functions: Mapping[str, Shape] = attrs.field(factory=dict, kw_only=True)
    #: What an adapter may lack, each in a few words (methods' capabilities included).
    capabilities: Mapping[str, str]
    #: Declared choices among legitimate behaviours: flag -> values, the first by default.
    dialects: Mapping[str, tuple[str, ...]]
    model: ModelFactory
    stimuli: tuple[Weighted, ...]
    scenarios: tuple[Scenario, ...]
    probe: tuple[Step, ...]
    #: Steps that let calls end which block at the end of a trial: a close, a cancel.
    unblock: tuple[Step, ...] = ()
    #: Arguments of operations that split a subject into independent parts.
    part: tuple[str, ...] = ()
    #: Operations after which a leak breaks a clause of the pattern's own -> its signature.
    leaks: Mapping[str, str] = attrs.field(factory=dict)

    #: Whether an adapter's calls may be cancelled: it says what becomes of them.
    cancels: Callable[[Adapter], bool] = lambda adapter: (
        not any(
            value == "none" for flag, value in adapter.dialect.items() if flag.endswith("_cancel")
        )
    )
    #: Signature of a violation that needs two subjects: what one does reaches the other.
    independence: str = "UN-10 what happens to one subject reaches another"
    #: Whether an adapter's constructor takes this value of an argument.
    constructs: Callable[[Adapter, str, Any], bool] = lambda *_: True
    #: How often in a row the clock moves at a trial's end although that ends no call. Few
    #: for a subject whose own timers never run out.
    patience: int = 400
    #: Steps after which nothing of them may be kept, and the signature if it is.
    release: tuple[tuple[Step, ...], str] | None = None

    @property
    def methods(self) -> Mapping[str, Method]:
        """The port's methods by name."""
        return {method.name: method for method in self.port}

    def clause(self, clause_id: str) -> Clause:
        """The clause of that id. Raises KeyError if the pattern has none."""
        return {clause.id: clause for clause in self.clauses}[clause_id]
