"""singleflight: a caller that has its answer calls again, and gets the old one again.

Library: singleflight 0.1.3. Python: 3.11, 3.12, 3.13. Clause: SF-06 (also SF-05).
Known as: not known to be reported.
Judgement: bug, if a narrow one: the README promises that nothing is cached, and a program
that writes and then reads through the flight can read what was there before it wrote.

Why: ``SingleFlight.call`` (basic.py) wakes the others before it removes the key. Here the
first caller is held up in between, as any thread can be.
"""

import sys
import threading

from singleflight import basic

joined, answered = threading.Event(), threading.Event()


class HeldUp(threading.Event):
    """The event of a call: who sets it is suspended right afterwards."""

    def set(self) -> None:
        super().set()
        answered.wait(2)

    def wait(self, timeout: float | None = None) -> bool:
        joined.set()
        return super().wait(timeout)


def work() -> str:
    joined.wait(2)
    return "old"


basic.Event = HeldUp
flights = basic.SingleFlight()
first = threading.Thread(target=flights.call, args=(work, "key"))
first.start()
answers = [flights.call(lambda: "new", "key") for _ in range(2)]
answered.set()
first.join()
buggy = answers == ["old", "old"]
print("BUG" if buggy else "OK", "joined and got {!r}, called again and got {!r}".format(*answers))
sys.exit(buggy)
