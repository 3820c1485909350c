"""The specification: one pattern a file, read from top to bottom."""
