"""Results as JSON: written atomically, sorted, and equal for equal seeds but for ``timing``.

The same conversion carries a cell's result from an xdist worker to its controller.
"""

from __future__ import annotations

import json
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, Final

import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from quiesce.errors import ConfigurationError
from quiesce.reports.run import NotInstalled, Run, cell_id
from quiesce.schedulers.scheduler import Schedule
from quiesce.verdicts import CellResult, ClauseResult, Finding, Verdict

__all__ = [
    "FORMAT",
    "SCHEMA",
    "cell_from_json",
    "cell_to_json",
    "check_writable",
    "load_run",
    "run_to_json",
    "write_run",
]

#: What a results file calls itself.
FORMAT: Final = "quiesce-results"
#: Version of the layout, raised whenever an older reader would misread it.
SCHEMA: Final = 1


def cell_to_json(result: CellResult) -> str:
    """One cell's result, with its duration, on one line."""
    return json.dumps({"seconds": result.seconds, **_converter().unstructure(result)})


def cell_from_json(text: str) -> CellResult:
    """Read what ``cell_to_json`` wrote."""
    return _converter().structure(json.loads(text), CellResult)


def run_to_json(run: Run) -> str:
    """A whole run. Only the object ``timing`` differs between runs of one seed."""
    body: dict[str, Any] = {"format": FORMAT, "schema": SCHEMA, **_converter().unstructure(run)}
    body["timing"] = {
        "seconds": run.seconds,
        "cells": {cell_id(result): result.seconds for result in run.cells},
    }
    return json.dumps(body, indent=2) + "\n"


def check_writable(path: Path) -> None:
    """Find out before a long run whether its results can be written.

    Raises:
      ConfigurationError: they can't.
    """
    folder = path.absolute().parent
    if path.is_dir():
        message = f"--json {path}: that is a folder; name a file in it."
    elif not folder.is_dir():
        message = f"--json {path}: the folder {folder} does not exist; create it first."
    elif not os.access(folder, os.W_OK):
        message = f"--json {path}: the folder {folder} can't be written to."
    else:
        return
    raise ConfigurationError(message)


def write_run(path: Path, run: Run) -> None:
    """Write a run's results: the whole file appears at once, or the old one stays."""
    path = path.absolute()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".partial")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(run_to_json(run))
        # mkstemp makes files private; results are as public as any other file.
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load_run(path: Path) -> Run:
    """Read a results file.

    Raises:
      ConfigurationError: it can't be read, is broken or is of another version. The message
        names the file and the place.
    """
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _broken(path, f"can't be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise _broken(path, f"is not UTF-8 text (byte {error.start})") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise _broken(path, f"is not JSON ({error.msg}, {where}); was it cut off?") from error
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise _broken(path, "is JSON, but no results of quiesce; `quiesce run --json` writes them")
    if (schema := body.get("schema")) != SCHEMA:
        raise _broken(
            path,
            f"has schema {schema!r}, and this quiesce reads schema {SCHEMA}; "
            "use the version of quiesce that wrote it",
        )
    try:
        return _structure(body)
    except (cattrs.BaseValidationError, KeyError, TypeError, ValueError, AttributeError) as error:
        reasons = "; ".join(cattrs.transform_error(error, "results"))
        raise _broken(path, f"does not have the layout of schema {SCHEMA}: {reasons}") from error


def _structure(body: dict[str, Any]) -> Run:
    timing = body.pop("timing")
    del body["format"], body["schema"]
    for cell in body["cells"]:
        name = f"{cell['pattern']}/{cell['adapter']}/{cell['world']}"
        cell["seconds"] = timing["cells"].get(name, 0.0)
    body["seconds"] = timing["seconds"]
    return _converter().structure(body, Run)


def _broken(path: Path, what: str) -> ConfigurationError:
    return ConfigurationError(f"{path} {what}.")


@cache
def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_unstructure_hook(Verdict, lambda verdict: verdict.value)
    converter.register_structure_hook(Verdict, lambda value, _: Verdict(value))
    for record in (Schedule, Finding, ClauseResult, NotInstalled):
        converter.register_unstructure_hook(record, make_dict_unstructure_fn(record, converter))
        converter.register_structure_hook(record, _strict(record, converter))
    for timed in (CellResult, Run):
        converter.register_unstructure_hook(
            timed, make_dict_unstructure_fn(timed, converter, seconds=override(omit=True))
        )
        converter.register_structure_hook(timed, _strict(timed, converter))
    return converter


def _strict(record: type[Any], converter: cattrs.Converter) -> Any:
    return make_dict_structure_fn(record, converter, _cattrs_forbid_extra_keys=True)
