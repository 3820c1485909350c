"""The task group of the reference, for threads."""

from collections.abc import Callable

import quiesce
from quiesce_reference.threads import Context, TaskGroup

#: What structured groups have.
STRUCTURED = {"run", "cancel_child", "immediate", "coroutines"}
Work = Callable[[], object]


class Group:
    """``TaskGroup``."""

    def __init__(self, limit: int | None) -> None:
        self._group = TaskGroup(limit)

    def go(self, work: Work) -> None:
        self._group.go(work)

    def try_go(self, work: Work) -> bool:
        return self._group.try_go(work)

    def wait(self) -> None:
        self._group.wait()

    def set_limit(self, limit: int | None) -> None:
        self._group.set_limit(limit)


@quiesce.adapter(
    "task_group",
    world="threads",
    packages=["quiesce_reference"],
    name="reference.TaskGroup",
    lacks={*STRUCTURED, "look"},
    dialect={"errors": "first", "on_failure": "continue"},
)
class Plain(Group):
    """A group without a scope: an error stops nothing."""


@quiesce.adapter(
    "task_group",
    world="threads",
    packages=["quiesce_reference"],
    name="reference.TaskGroup.context",
    lacks=STRUCTURED,
    dialect={"errors": "first", "on_failure": "cancel_rest", "blocked_start_on_cancel": "runs"},
)
class WithContext(Group):
    """A group with a context that the first error cancels."""

    def __init__(self, limit: int | None) -> None:
        self._context = Context().with_cancel()
        self._group = TaskGroup(limit, context=self._context)

    def look(self) -> bool:
        if not self._context.done:
            return False
        cause = self._context.cause
        assert cause is not None  # it is done
        if cause is not self._context.error:
            raise cause
        return True

    def go_then_look(self, work: Work) -> bool:
        self._group.go(work)
        return self.look()
