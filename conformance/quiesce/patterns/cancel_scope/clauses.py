"""The clauses of cancel scopes. CX-01 to CX-15 are those of the pattern ``context``."""

from __future__ import annotations

from quiesce.clauses import Clause, Level

__all__ = ["ASYNC", "CLAUSES"]

ASYNC = ("asyncio", "trio")

CLAUSES = (
    Clause(
        "CX-16",
        Level.MUST,
        "Leaving a cancelled scope absorbs exactly that scope's own cancellation; a cancellation "
        "from further out, and any other exception, goes on.",
        "trio test_run: test_cancel_scope_nesting, test_cancel_scope_exceptiongroup_filtering; "
        "CPython issues 116720, 155433",
        worlds=ASYNC,
        twins=[
            "cx_swallow_outer",
            "cx_absorbs_any_cancellation",
            "cx_own_goes_on",
            "cx_swallows_an_error",
            "cx_error_becomes_timeout",
            "cx_outer_ends_at_inner",
        ],
    ),
    Clause(
        "CX-17",
        Level.SHOULD,
        "A shielded region is not interrupted by a cancellation from further out until the "
        "shield ends; its own cancellation and its own deadline still work.",
        "trio test_run: test_cancel_shielding; test_timeouts: "
        "test_move_on_after_moves_on_even_if_shielded",
        needs=["shield"],
        worlds=ASYNC,
        twins=["cx_shield_leaks", "cx_shield_is_deaf", "cx_shield_lasts"],
    ),
    Clause(
        "CX-18",
        Level.MUST,
        "After a scope has handled its own cancellation, the task's count of cancellation "
        "requests is back to what it was when the scope was entered.",
        "CPython issue 95289; asyncio: the docs of Task.uncancel",
        worlds=("asyncio",),
        twins=["cx_count_left", "cx_count_cleared"],
    ),
)
