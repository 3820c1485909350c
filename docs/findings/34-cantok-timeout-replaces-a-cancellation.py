"""cantok: a token that its parent cancelled changes its reason when its own timeout is over.

Library: cantok 0.0.43. Python: 3.11, 3.12, 3.13. Clause: CX-03.
Known as: not reported, as far as we know.
Judgement: taste. The docs promise that a token stays cancelled, and not that its reason does.

Why: ``_get_report`` (cantok/tokens/abstract/abstract_token.py) asks the token's own timeout
before the report of an embedded token, also when that one was found first and is remembered.
"""

import sys
import time

from cantok import AbstractToken, CancellationError, SimpleToken, TimeoutToken


def reason(token: AbstractToken) -> str:
    try:
        token.check()
    except CancellationError as error:
        return type(error).__name__
    return "none"


now = 0.0
time.perf_counter = lambda: now  # the clock of its timeouts, moved by hand

parent = SimpleToken()
child = TimeoutToken(60, parent)
parent.cancel()
before = reason(child)
now = 61.0
after = reason(child)
changed = before != after
print("BUG" if changed else "OK", f"at once: {before}; a minute later: {after}")
sys.exit(changed)
