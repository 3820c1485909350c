"""Adapters of real libraries, one file a library, found by the ``quiesce.adapters`` entry point."""
