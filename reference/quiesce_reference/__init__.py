"""Reference implementations of the concurrency patterns, one file each.

``quiesce_reference.threads`` needs the standard library only, ``quiesce_reference.aio``
needs anyio and runs on asyncio and on trio. The docstrings are the specification in
prose; the ids in their ``Clauses`` lines are those of the conformance kit.
"""
