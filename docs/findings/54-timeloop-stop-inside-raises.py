"""timeloop: a job that stops its own loop gets an error, and the jobs behind it go on.

Library: timeloop 1.0.2. Python: 3.11, 3.12, 3.13. Clause: TK-12.
Known as: https://github.com/sankalpjonn/timeloop/issues/19
Judgement: bug: ``stop`` is the documented way to end the loop, and nothing says who may not call
it.

Why: ``Timeloop.stop`` (app.py) stops the jobs one after another, and ``Job.stop`` (job.py) joins
the job's thread. In that very thread the join raises, so the jobs behind it are never stopped.
"""

import sys
import threading
from datetime import timedelta

from timeloop import Timeloop

loop = Timeloop()
loop.logger.disabled = True
told: list[str] = []
stopped, goes_on = threading.Event(), threading.Event()


@loop.job(interval=timedelta(milliseconds=1))
def stops_all() -> None:
    if not stopped.is_set():
        try:
            loop.stop()
        except RuntimeError as error:
            told.append(str(error))
        stopped.set()


@loop.job(interval=timedelta(milliseconds=1))
def other() -> None:
    if stopped.is_set():
        goes_on.set()


loop.start()
stopped.wait(5)
still_runs = goes_on.wait(0.5)
loop.stop()
buggy = bool(told) and still_runs
print("BUG" if buggy else "OK", f"stop raised {told}; another job still runs: {still_runs}")
sys.exit(buggy)
