"""threading.Condition: a notification is spent on a thread whose wait had timed out.

Library: standard library. Python: 3.11, 3.12, 3.13. Clause: CO-02.
Known as: not known to be reported.
Judgement: bug; code that looks again after a time-out, as ``wait_for`` does, is not harmed.

Why: a wait that timed out stays in ``Condition._waiters`` (threading.py) until it has the lock
back. ``notify`` takes it from there, yet ``wait`` returns False: it had decided before it had the
lock. No other thread is woken.
"""

import sys
import threading
import time

condition = threading.Condition()
answers: list[tuple[str, bool]] = []


def wait(name: str, timeout: float | None) -> None:
    with condition:
        answers.append((name, condition.wait(timeout)))


first = threading.Thread(target=wait, args=("first", 0.05))
second = threading.Thread(target=wait, args=("second", None), daemon=True)
for number, thread in enumerate((first, second), 1):
    thread.start()
    while len(condition._waiters) < number:  # type: ignore[attr-defined]  # seen by no other means
        time.sleep(0.001)
with condition:
    time.sleep(0.2)  # the first times out, and waits for the lock
    condition.notify()
first.join()
second.join(0.2)
buggy = answers == [("first", False)]
print("BUG" if buggy else "OK", f"two wait, one was notified; ended: {answers}")
sys.exit(buggy)
