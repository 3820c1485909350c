"""cantok: cancelling a token whose timeout is over changes why it is cancelled.

Library: cantok 0.0.43. Python: 3.11, 3.12, 3.13. Clause: CX-03.
Known as: not reported, as far as we know.
Judgement: taste. The docs promise that a token stays cancelled, and not that its reason does.

Why: ``cancel`` sets a flag without asking whether the token is cancelled already, and
``check`` looks at that flag before the timeout (cantok/tokens/abstract/abstract_token.py,
``_get_report``). Whoever distinguishes timeouts from cancellations, and cancels in a
``finally``, is told of a cancellation the second time he asks.
"""

import sys

from cantok import AbstractToken, CancellationError, TimeoutToken


def reason(token: AbstractToken) -> str:
    try:
        token.check()
    except CancellationError as error:
        return type(error).__name__
    return "none"


token = TimeoutToken(0)
before = reason(token)
token.cancel()
after = reason(token)
changed = before != after
print("BUG" if changed else "OK", f"before cancel: {before}; after it: {after}")
sys.exit(changed)
