"""Whose fault it is: everything the kit raises that is not a violation.

A violation (``quiesce.verdicts.Violation``) is the subject's fault. What stands
here is the fault of an adapter, of its declaration, or of ourselves.
"""

__all__ = ["ConfigurationError", "HangError", "HarnessError", "SpinError"]


class ConfigurationError(Exception):
    """The adapter or the command line does not say something runnable.

    Found before any test. The message names the adapter, what is wrong with it
    and what to write instead.
    """


class HarnessError(Exception):
    """The run itself can't be trusted: an unmanaged thread, a real sleep, a broken world.

    Never a verdict on the subject's behaviour.
    """


class HangError(HarnessError):
    """Code in a world blocked the real OS thread, or never came back.

    The message names the task and the file and line where it stands.
    """


class SpinError(Exception):
    """Tasks keep running although no virtual time passes.

    This is an outcome, not a harness error: the subject spins at a frozen clock.
    """
