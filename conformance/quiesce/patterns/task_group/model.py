"""The model of a plain task group: functions are started, and somebody waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from quiesce.model import BLOCKED, Move, evolve
from quiesce.patterns.calls import REFUSED, Outcome, put, returned, start
from quiesce.patterns.task_group.state import FAILURES, STARTS, Group, Starts, normal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from quiesce.adapters import Adapter
    from quiesce.patterns.calls import Execution
    from quiesce.stimuli import Began, Part

__all__ = ["Plain", "PlainGroup"]


@attrs.frozen
class Plain(Group):
    """One plain group."""

    waiters: frozenset[int] = frozenset()
    released: tuple[tuple[int, Outcome], ...] = ()  # waits that found nothing left to wait for
    lookers: frozenset[int] = frozenset()  # let in, and about to look at the scope
    waited: bool = False  # a wait has returned
    clean: bool = False  # and the first to do so found no error: that ended the scope
    reused: bool = False  # and something was started since


class PlainGroup(Starts):
    """The model of one plain group."""

    def __init__(self, adapter: Adapter, limit: Any) -> None:
        super().__init__(adapter, limit)
        dialect = adapter.dialect
        self._cancels = dialect.get("on_failure", "cancel_rest") == "cancel_rest"
        self._reusable = dialect.get("reuse", "allowed") == "allowed"

    def initial(self, part: Part) -> Plain:
        return Plain(limit=self._limit)

    def begin(self, state: Any, fact: Began, relaxed: Collection[str]) -> Iterable[Move]:
        call, operation = fact.call, fact.operation
        match operation:
            case "try_go" | "go" | "go_then_look" | "go_now" | "fail_now" if (
                state.waited and not self._reusable
            ):
                yield Move(put(state, call, REFUSED), ("TG-15",))
            case "try_go":
                yield from self.try_start(state, call)
            case _ if operation in STARTS:
                for move in self.admit(state, call, operation):
                    yield evolve(move, clauses=(*move.clauses, *self._situations(state, fact)))
            case "wait":
                yield Move(
                    put(evolve(state, waiters=state.waiters | {call}), call, BLOCKED),
                    ("TG-01",) if state.active else (),
                )
            case "set_limit":
                yield from self._set_limit(state, call, normal(fact.argument("limit")))
            case "look":
                yield Move(put(state, call, self.look(state)), self.look_tags(state))

    def _situations(self, state: Plain, fact: Began) -> Iterable[str]:
        """The clauses that a start exercises by the situation it meets."""
        if fact.inside is not None and fact.inside >= 0:
            yield "TG-14"
            yield "UN-08"
        if state.waited:
            yield "TG-15"

    def _set_limit(self, state: Plain, call: int, limit: int | None) -> Iterable[Move]:
        if state.active or state.starters:
            yield Move(put(state, call, REFUSED), ("TG-13",))
        if not state.active:  # where only starters wait, both are fine
            yield Move(put(evolve(state, limit=limit), call, returned()), ("TG-13",))

    def ended(
        self, state: Any, execution: Execution, outcome: str, relaxed: Collection[str]
    ) -> Iterable[Move]:
        if outcome not in FAILURES:
            yield Move(state)
            return
        tags = () if self._cancels or not state.active else ("TG-05",)
        yield Move(self.failed(state, (outcome, execution.index)), tags)

    def follow(self, state: Any, relaxed: Collection[str]) -> Iterable[Move]:
        if state.has_room:
            for call, operation in state.starters:
                if call not in state.stuck:
                    yield Move(self.let_in(state, call, operation), self._slot_tags(state))
        for call in state.lookers:
            looked = evolve(state, lookers=state.lookers - {call})
            yield Move(put(looked, call, self.look(state)))
        if self.is_idle(state):
            for call in sorted(state.waiters):
                yield Move(self._release(state, call), self.wait_tags(state))
        for call, answer in state.released:
            yield from self._let_go(state, call, answer)

    def _slot_tags(self, state: Plain) -> tuple[str, ...]:
        if not state.errors:
            return ("TG-09",)
        return ("TG-09", "TG-08", "TG-10") if self._cancels else ("TG-09",)

    def is_idle(self, state: Plain) -> bool:
        """Whether nothing is left to wait for."""
        return not state.active and not (self._queues and state.starters)

    def let_in(self, state: Any, call: int, operation: str) -> Any:
        state = evolve(state, reused=state.waited)
        if operation != "go_then_look":
            return super().let_in(state, call, operation)
        free = state.without(call)
        return put(evolve(start(free, call), lookers=free.lookers | {call}), call, BLOCKED)

    def cancel(self, state: Any, call: int, relaxed: Collection[str]) -> Iterable[Move]:
        released = tuple(entry for entry in state.released if entry[0] != call)
        gone = evolve(state, waiters=state.waiters - {call}, released=released)
        yield from super().cancel(gone, call, relaxed)

    def _release(self, state: Plain, call: int) -> Plain:
        """The state in which a wait need not wait. Until it returns, others may start anew."""
        answer = self.answer(state.errors) if state.errors else returned()
        released = tuple(sorted((*state.released, (call, answer))))
        return evolve(state, waiters=state.waiters - {call}, released=released)

    def _let_go(self, state: Plain, call: int, answer: Outcome) -> Iterable[Move]:
        """A wait returns. If the scope was open it ends it, unless an error was faster."""
        released = tuple(entry for entry in state.released if entry[0] != call)
        after = put(evolve(state, released=released, waited=True), call, answer)
        is_first = not state.waited and answer == returned()
        if is_first:
            yield Move(evolve(after, clean=True))
        if not is_first or state.errors:
            yield Move(after)

    def wait_tags(self, state: Plain) -> tuple[str, ...]:
        """The clauses that the return of a wait exercises."""
        tags = ["TG-01", "TG-23"]
        if len(state.waiters) > 1:
            tags.append("TG-16")
        if state.errors:
            tags += ["TG-02", "UN-05"]
        if len(state.errors) > 1:
            tags.append("TG-06")
        if any(kind != "error" for kind, _ in state.errors):
            tags.append("TG-17")
        return tuple(tags)

    def look(self, state: Plain) -> Outcome:
        """What is seen of the scope: open, done, or the error that ended it."""
        if state.errors and self._cancels and not state.clean:
            return ("raised", state.errors[0])
        return returned(state.waited)

    def look_tags(self, state: Plain) -> tuple[str, ...]:
        """The clauses that a look at the scope exercises."""
        if state.errors and not state.clean:
            return () if state.waited else ("TG-03",)
        return ("TG-04",) if state.waited else ()
