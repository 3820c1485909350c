"""timeloop: each run moves all that follow by the time it takes.

Library: timeloop 1.0.2. Python: 3.11, 3.12, 3.13. Clause: TK-09.
Known as: not known to be reported.
Judgement: matter of taste: the documentation says "after a certain interval", and its example says
"every". A job of 2 s that takes 1 s runs every 3 s.

Why: ``Job.run`` (job.py) waits a whole interval after each run, instead of for the next due time.
"""

import sys
import time
from datetime import timedelta

from timeloop import Timeloop

INTERVAL, TAKES = 0.1, 0.09
loop = Timeloop()
loop.logger.disabled = True
begun: list[float] = []


@loop.job(interval=timedelta(seconds=INTERVAL))
def job() -> None:
    begun.append(time.monotonic())
    time.sleep(TAKES)


loop.start()
while len(begun) < 4:
    time.sleep(INTERVAL)
loop.stop()
apart = (begun[3] - begun[0]) / 3
buggy = apart > INTERVAL + TAKES / 2
print("BUG" if buggy else "OK", f"runs of an interval of {INTERVAL} s begin {apart:.2f} s apart")
sys.exit(buggy)
