"""bounded-pool-executor: submits after a shutdown take places away until one of them hangs.

Library: bounded-pool-executor 0.0.3. Python: 3.11, 3.12, 3.13. Clause: WP-08.
Known as: not known to be reported.
Judgement: bug. It offers the interface of ``concurrent.futures``, where a submit after a shutdown
raises RuntimeError each time. Who is blocked when another thread shuts the pool down is not told
either, and takes a place away when he is.

Why: ``_BoundedPoolExecutor.submit`` (bounded_pool_executor/__init__.py) acquires its semaphore
before it submits. The release hangs on the future, and when the submit raises there is none.
"""

import sys
import threading

from bounded_pool_executor import BoundedThreadPoolExecutor

PATIENCE = 5  # seconds; a submit that is refused takes none

pool = BoundedThreadPoolExecutor(1)
pool.shutdown()
answers: list[str] = []


def submit() -> None:
    try:
        pool.submit(print)
    except RuntimeError as error:
        answers.append(str(error))


for _ in range(2):
    thread = threading.Thread(target=submit, daemon=True)
    thread.start()
    thread.join(PATIENCE)

buggy = len(answers) < 2
print("BUG" if buggy else "OK", f"{len(answers)} of 2 submits after a shutdown were refused")
sys.exit(buggy)
