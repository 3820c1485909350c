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


class Lock:
    """A lock that says when a timed-out wait wants it back, and makes it wait for a signal."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.acquire, self.release = self._lock.acquire, self._lock.release
        self.timed_out, self.may_return = threading.Event(), threading.Event()

    def __enter__(self) -> bool:
        return self._lock.__enter__()

    def __exit__(self, *error: object) -> None:
        self._lock.release()

    def _is_owned(self) -> bool:
        return self._lock.locked()

    def _release_save(self) -> None:
        self._lock.release()

    def _acquire_restore(self, _: object) -> None:
        if threading.current_thread() is first:
            self.timed_out.set()
            self.may_return.wait()
        self._lock.acquire()


lock = Lock()
condition = threading.Condition(lock)  # type: ignore[arg-type]  # any object with these methods
answers: list[tuple[str, bool]] = []


def wait(name: str, timeout: float | None) -> None:
    with condition:
        answers.append((name, condition.wait(timeout)))


first = threading.Thread(target=wait, args=("first", 0.001))
second = threading.Thread(target=wait, args=("second", None), daemon=True)
first.start()
lock.timed_out.wait()  # its time is over, and it waits for the lock
second.start()
while len(condition._waiters) < 2:  # type: ignore[attr-defined]  # seen by no other means
    pass
with condition:
    condition.notify()
lock.may_return.set()
first.join()
second.join(0.5)
buggy = answers == [("first", False)]
print("BUG" if buggy else "OK", f"two wait, one was notified; ended: {answers}")
sys.exit(buggy)
