"""functools.cached_property: one object's slow function blocks all objects of the class.

Library: standard library. Python: 3.11. Clause: ON-11.
Known as: https://github.com/python/cpython/issues/87634
Judgement: bug, repaired in 3.12 by giving the single execution up.

Why: in 3.11 the lock belongs to the property (functools.py), and a property belongs to the
class, so unrelated objects wait for each other.
"""

import functools
import sys
import threading

entered, leave = threading.Event(), threading.Event()


class Client:
    def __init__(self, *, slow: bool) -> None:
        self.slow = slow

    @functools.cached_property
    def connection(self) -> object:
        if self.slow:
            entered.set()
            leave.wait(2)
        return object()


slow = threading.Thread(target=lambda: Client(slow=True).connection)
quick = threading.Thread(target=lambda: Client(slow=False).connection)
slow.start()
entered.wait(2)
quick.start()
quick.join(0.1)
buggy = quick.is_alive()
leave.set()
slow.join()
quick.join()
print("BUG" if buggy else "OK", f"another object's property had to wait: {buggy}")
sys.exit(buggy)
