"""cached-property: a getter that reads its own property runs again, inside itself.

Library: cached-property 2.0.1. Python: 3.11, 3.12, 3.13. Clause: ON-07.
Known as: not known to be reported.
Judgement: matter of taste: such a getter is wrong anyway. But it runs twice (without a stop of
its own, until the stack ends), and what the outer run made is thrown away.

Why: ``threaded_cached_property`` (cached_property.py) takes a reentrant lock, so the thread that
computes walks in again, finds no value yet, and calls the function.
"""

import sys

from cached_property import threaded_cached_property

made: list[object] = []
used: list[object] = []


class Client:
    @threaded_cached_property
    def connection(self) -> object:
        mine = object()
        made.append(mine)
        if len(made) == 1:
            used.append(self.connection)
        return mine


kept = Client().connection
buggy = len(made) > 1
print("BUG" if buggy else "OK", f"{len(made)} executions; all use the same: {used[0] is kept}")
sys.exit(buggy)
