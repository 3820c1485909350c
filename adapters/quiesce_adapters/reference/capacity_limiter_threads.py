"""The capacity limiter of the reference, for threads."""

import quiesce
from quiesce_reference.threads import CapacityLimiter

PACKAGES = ["quiesce_reference"]


@quiesce.adapter(
    "capacity_limiter", world="threads", packages=PACKAGES, name="reference.CapacityLimiter"
)
class Lending:
    """``CapacityLimiter``."""

    def __init__(self, total: int) -> None:
        self._limiter = CapacityLimiter(total)

    def acquire(self, item: int) -> int:
        self._limiter.acquire(item)
        return item

    def try_acquire(self, borrower: int) -> bool:
        return self._limiter.try_acquire(borrower)

    def release(self, borrower: int) -> None:
        self._limiter.release(borrower)

    def set_total(self, total: int) -> None:
        self._limiter.total = total
