"""Results made readable: terminal and JSON."""
