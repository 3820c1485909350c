"""dedup-me: when the work raises, the key hangs for ever (threads).

Library: dedup-me 0.2.0. Python: 3.11, 3.12, 3.13. Clause: SF-05 (also SF-14, UN-03).
Known as: not known to be reported.
Judgement: bug: any exception of the work blocks every later thread for that key, for good.

Why: ``ThreadingDedup.run`` (_threading.py) calls the work as an argument of the very function
that removes the key and wakes the others, so an exception skips all of it.
"""

import sys
import threading

from dedup_me import ThreadingDedup

dedup = ThreadingDedup()


def fail() -> None:
    raise ValueError("the work failed")


raised = False
try:
    dedup.run("key", fail)
except ValueError:
    raised = True
newcomer = threading.Thread(target=dedup.run, args=("key", lambda: None), daemon=True)
newcomer.start()
newcomer.join(0.2)
buggy = raised and newcomer.is_alive()
print("BUG" if buggy else "OK", f"a call after one that failed hangs: {newcomer.is_alive()}")
sys.exit(buggy)
