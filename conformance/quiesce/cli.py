"""The command ``quiesce``. What it does stands in ``quiesce.commands``, which needs click."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from quiesce.exit_codes import Exit

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

MISSING = """\
The command line of quiesce needs click and rich, which are not installed:
    pip install 'quiesce[cli]'
The pytest plugin works without them: see `pytest --help` under "quiesce"."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
      arguments: what follows the command's name; by default what the process was given.
    """
    try:
        import click
    except ModuleNotFoundError:
        print(MISSING, file=sys.stderr)
        return Exit.USAGE
    from quiesce.commands import group
    from quiesce.errors import ConfigurationError

    try:
        code = group.main(arguments, prog_name="quiesce", standalone_mode=False)
    except ConfigurationError as error:
        click.echo(f"quiesce: {error}", err=True)
        return Exit.USAGE
    except click.ClickException as error:
        error.show()
        return Exit.USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return Exit.INTERRUPTED
    return code if isinstance(code, int) else Exit.OK


if __name__ == "__main__":
    sys.exit(main())
