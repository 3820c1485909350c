"""singleflight: after work that exits its thread, everybody gets None from then on.

Library: singleflight 0.1.3. Python: 3.11, 3.12, 3.13. Clause: SF-12 (also SF-03, SF-05).
Known as: not known to be reported.
Judgement: bug: the work is never run again for that key.

Why: ``SingleFlight.call`` (basic.py) keeps the outcome in ``except Exception``, which a
SystemExit passes by, and sets the event in ``finally``; the statement after it that removes
the key is not reached. Whoever waits, or comes later, reads the initial None.
"""

import sys

from singleflight.basic import SingleFlight

flights = SingleFlight()


def leave() -> None:
    raise SystemExit


exited = False
try:
    flights.call(leave, "key")
except SystemExit:
    exited = True
answer = flights.call(lambda: "value", "key")
buggy = exited and answer != "value"
print("BUG" if buggy else "OK", f"the call after one that exited got {answer!r}")
sys.exit(buggy)
