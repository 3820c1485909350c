"""Adapters of real libraries, found by the ``quiesce.adapters`` entry point.

One file a library; a library that offers many patterns has a folder, one file a pattern.
"""
