"""Adapters whose names say what their check does; see ``fake_check``."""
