"""The countdown event of aiologic as a wait group."""

import aiologic

import quiesce


@quiesce.adapter(
    "wait_group",
    world=("asyncio", "trio"),
    name="aiologic.CountdownEvent",
    distribution="aiologic",
    lacks={"delta", "go", "timeout"},
)
class CountdownEvent:
    """``CountdownEvent``: up and down."""

    def __init__(self) -> None:
        self._event = aiologic.CountdownEvent()

    def add(self, n: int) -> None:
        self._event.up(n)

    def done(self) -> None:
        self._event.down()

    async def wait(self) -> None:
        await self._event
