"""cached-property: one object's slow function blocks all objects of the class.

Library: cached-property 2.0.1. Python: 3.11, 3.12, 3.13. Clause: ON-11.
Known as: https://github.com/pydanny/cached-property/issues/250
Judgement: bug: with a getter that waits for another object of its class it is a deadlock.

Why: ``threaded_cached_property`` (cached_property.py) makes its lock when the property is made,
that is once a class, and holds it while the function runs.
"""

import sys
import threading

from cached_property import threaded_cached_property

entered, leave = threading.Event(), threading.Event()


class Client:
    def __init__(self, *, slow: bool) -> None:
        self.slow = slow

    @threaded_cached_property
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
