"""functools.lru_cache: each thread that races for the first value runs the function.

Library: standard library. Python: 3.11, 3.12, 3.13. Clause: ON-01.
Known as: the documentation says that "it is possible for the wrapped function to be called more
than once if another thread makes an additional call before the initial call has been completed
and cached".
Judgement: documented limit: lru_cache is safe to share between threads, and no once.

Why: the C code looks in the cache, calls the function without a lock, and looks again.
"""

import functools
import sys
import threading

inside = threading.Barrier(2)


@functools.lru_cache
def connect() -> object:
    # Passed by two threads that are both in here; alone, a thread gives up.
    inside.wait(2)
    return object()


def use() -> None:
    try:
        connections.append(connect())
    except threading.BrokenBarrierError:
        connections.append(None)


connections: list[object] = []
threads = [threading.Thread(target=use) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
buggy = None not in connections and connections[0] is not connections[1]
print("BUG" if buggy else "OK", f"two threads were inside the function at once: {buggy}")
sys.exit(buggy)
