"""A wait group that programs build from a queue: put announces, task_done ends, join waits.

That is what ``join`` is documented for: it waits until the count of unfinished tasks, which ``put``
raises and ``task_done`` lowers, is zero. The items themselves are of no interest here.
"""

import queue

import quiesce


@quiesce.adapter(
    "wait_group",
    world="threads",
    name="queue.Queue.join",
    packages=["queue"],
    # put counts one item at a time, join takes no timeout, and nothing is said of a join that
    # wakes up when new items have been put.
    lacks={"delta", "go", "rounds", "stop", "timeout"},
)
class Queue:
    """``Queue.join``."""

    def __init__(self) -> None:
        self._queue: queue.Queue[None] = queue.Queue()

    def add(self, n: int) -> None:
        for _ in range(n):
            self._queue.put(None)

    def done(self) -> None:
        self._queue.task_done()

    def wait(self) -> None:
        self._queue.join()
