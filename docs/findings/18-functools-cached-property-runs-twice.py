"""functools.cached_property: each thread that races for the first value runs the function.

Library: standard library. Python: 3.12, 3.13. Clause: ON-01.
Known as: https://github.com/python/cpython/issues/87634, which took the lock out; the
documentation says since that it "does not prevent a possible race condition in multi-threaded
usage".
Judgement: documented limit, and a trap for programs that came from 3.11.

Why: ``cached_property.__get__`` (functools.py) looks in the instance's dictionary, calls the
function and stores the value, without a lock since 3.12.
"""

import functools
import sys
import threading

inside = threading.Barrier(2)


class Client:
    @functools.cached_property
    def connection(self) -> object:
        # Passed by two threads that are both in here; alone, a thread gives up.
        inside.wait(2)
        return object()


def use() -> None:
    try:
        connections.append(client.connection)
    except threading.BrokenBarrierError:
        connections.append(None)


client = Client()
connections: list[object] = []
threads = [threading.Thread(target=use) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
buggy = None not in connections and connections[0] is not connections[1]
print("BUG" if buggy else "OK", f"two threads were inside the function at once: {buggy}")
sys.exit(buggy)
