"""The cancellation tokens of cantok."""

import cantok

import quiesce

Token = cantok.AbstractToken
SECOND = 1_000_000_000


@quiesce.adapter(
    "context",
    world="threads",
    distribution="cantok",
    # A token tells no cause and no deadline, holds no values and calls nobody. Its wait polls
    # (the docs name the interval), so it does not end when the token does.
    lacks={"callbacks", "causes", "detached", "shown_deadline", "values", "wait"},
)
class Tokens:
    """A child is a token that the parent is embedded in, which is how the docs nest them."""

    def __init__(self) -> None:
        self._base = cantok.SimpleToken()

    def background(self) -> Token:
        return self._base

    def with_cancel(self, of: Token) -> Token:
        return cantok.SimpleToken(of)

    def with_deadline(self, of: Token, delay: int, caused: bool, item: int) -> Token:
        del caused, item  # it tells no cause
        # A negative timeout is refused.
        return cantok.TimeoutToken(max(0, delay) / SECOND, of, monotonic=True)

    def cancel(self, of: Token, caused: bool, item: int) -> str | None:
        del caused, item
        of.cancel()
        return kind(of)

    def look(self, of: Token) -> tuple[object, ...]:
        return ("look", of.cancelled, kind(of), None, of.cancelled)


def kind(token: Token) -> str | None:
    """The kind of error that a check of the token raises, in the port's words."""
    try:
        token.check()
    except cantok.TimeoutCancellationError:
        return "deadline"
    except cantok.CancellationError:
        return "cancelled"
    return None
