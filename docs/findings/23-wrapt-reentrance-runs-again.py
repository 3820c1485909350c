"""wrapt: a factory that uses its own lazy proxy runs again, inside itself.

Library: wrapt 2.5.2. Python: 3.11, 3.12, 3.13. Clause: ON-07.
Known as: not known to be reported.
Judgement: matter of taste: such a factory is wrong anyway. But the outer and the inner one make
two objects, and those who got the inner one keep it.

Why: ``LazyObjectProxy.__wrapped_get__`` (proxies.py) takes a reentrant lock and looks at a flag
that is set after the factory has returned.
"""

import sys

import wrapt

made: list[list[int]] = []
used: list[list[int]] = []


def make() -> list[int]:
    mine: list[int] = []
    made.append(mine)
    if len(made) == 1:
        used.append(proxy.__wrapped__)
    return mine


proxy = wrapt.LazyObjectProxy(make)
kept = proxy.__wrapped__
buggy = len(made) > 1
print("BUG" if buggy else "OK", f"{len(made)} executions; all use the same: {used[0] is kept}")
sys.exit(buggy)
