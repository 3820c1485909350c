"""Results files: they come back as they were, and broken ones say what is broken."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quiesce.errors import ConfigurationError
from quiesce.reports.json import cell_from_json, cell_to_json, load_run, run_to_json, write_run
from quiesce.reports.run import NotInstalled, Run
from quiesce.schedulers.scheduler import Schedule
from quiesce.verdicts import CellResult, ClauseResult, Finding, Verdict

texts = st.text(max_size=6)
numbers = st.integers(0, 2**63)
schedules = st.builds(
    Schedule,
    tasks=st.lists(st.tuples(numbers, numbers), max_size=2).map(tuple),
    data=st.lists(st.tuples(numbers, numbers), max_size=2).map(tuple),
)
findings = st.builds(
    Finding,
    id=texts,
    signature=texts,
    clause=texts,
    expected=texts,
    observed=texts,
    steps=st.lists(texts, max_size=2).map(tuple),
    history=st.lists(texts, max_size=2).map(tuple),
    schedule=schedules,
    points=st.none() | texts,
    advisory=st.none() | texts,
)
cells = st.builds(
    CellResult,
    pattern=texts,
    adapter=texts,
    world=texts,
    distribution=st.none() | texts,
    version=st.none() | texts,
    python=texts,
    budget=texts,
    seed=numbers,
    points=st.none() | texts,
    order=texts,
    examples=numbers,
    schedules=numbers,
    certificate=texts,
    clauses=st.lists(
        st.builds(
            ClauseResult,
            clause=texts,
            verdict=st.sampled_from(Verdict),
            exercised=numbers,
            note=texts,
        ),
        max_size=2,
    ).map(tuple),
    findings=st.lists(findings, max_size=2).map(tuple),
    notes=st.lists(texts, max_size=2).map(tuple),
    error=st.none() | texts,
    seconds=st.floats(0, 1e6),
)


@given(cells)
def test_a_cell_comes_back_from_its_text(result: CellResult) -> None:
    back = cell_from_json(cell_to_json(result))
    assert back == result
    assert back.seconds == result.seconds  # which equality leaves out


def example_cell(adapter: str = "x", seconds: float = 1.5) -> CellResult:
    told = Finding("1f", "SF-16 spreads", "SF-16", "this", "that", ("a",), ("0 ns  b",))
    return CellResult(
        pattern="singleflight",
        adapter=adapter,
        world="asyncio",
        distribution=None,
        version=None,
        python="3.x",
        budget="ci",
        seed=0,
        points=None,
        order="fifo",
        examples=1,
        schedules=1,
        certificate="bound",
        clauses=(ClauseResult("SF-16", Verdict.VIOLATES, 3, "note"),),
        findings=(told,),
        notes=("n",),
        seconds=seconds,
    )


def example_run(*results: CellResult, seconds: float = 3.0) -> Run:
    return Run.new(
        results or (example_cell(),),
        budget="ci",
        seed=0,
        points="gil",
        not_installed=[NotInstalled("y", "pip install y")],
        unfinished=["once/z/trio"],
        seconds=seconds,
    )


def test_a_run_comes_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    run = example_run()
    write_run(path, run)
    back = load_run(path)
    assert back == run
    assert (back.seconds, back.cells[0].seconds) == (3.0, 1.5)
    assert [each.name for each in tmp_path.iterdir()] == ["results.json"]


def test_only_the_timing_depends_on_when_and_in_which_order_cells_ended() -> None:
    names = ["a", "b", "c", "d"]
    bodies = []
    for seed in range(2):
        random.Random(seed).shuffle(names)
        results = (example_cell(name, seconds=index) for index, name in enumerate(names))
        bodies.append(json.loads(run_to_json(example_run(*results, seconds=seed))))
    first, second = bodies
    assert first.pop("timing") != second.pop("timing")
    assert json.dumps(first) == json.dumps(second)
    assert [each["adapter"] for each in first["cells"]] == ["a", "b", "c", "d"]


def test_a_file_that_can_not_be_replaced_is_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "results.json"
    path.write_text("old")

    def refuse(self: Path, target: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        write_run(path, example_run())
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["results.json"]


def change(body: dict[str, Any], *, drop: str | None = None, **values: object) -> str:
    kept = {name: value for name, value in body.items() if name != drop}
    return json.dumps(kept | values)


GOOD: dict[str, Any] = json.loads(run_to_json(example_run()))
LAYOUT = "does not have the layout of schema 1: "


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not JSON (Expecting value, line 1 column 1); was it cut off?."),
        (json.dumps(GOOD)[:-3], "is not JSON (Expecting"),
        ("[]", "is JSON, but no results of quiesce; `quiesce run --json` writes them."),
        ('{"format": "other"}', "is JSON, but no results of quiesce; "),
        (
            change(GOOD, schema=2),
            (
                "has schema 2, and this quiesce reads schema 1; use the version of quiesce that "
                "wrote it."
            ),
        ),
        (change(GOOD, drop="schema"), "has schema None, and this quiesce reads schema 1; "),
        (change(GOOD, drop="seed"), LAYOUT + "required field missing @ results.seed."),
        (change(GOOD, seed="x"), LAYOUT + "invalid value for type, expected int @ results.seed."),
        (change(GOOD, extra=1), LAYOUT + "extra fields found (extra) @ results."),
        (change(GOOD, drop="timing"), LAYOUT),
        (change(GOOD, cells=[3]), LAYOUT),
        (
            json.dumps(GOOD).replace("violates", "violets"),
            LAYOUT + "invalid value for type, expected Verdict @ results.cells[0].clauses[0]."
            "verdict.",
        ),
    ],
)
def test_a_broken_file_says_what_is_broken(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load_run(path)
    assert str(caught.value).startswith(f"{path} {reason}")


def test_a_file_that_is_not_there_or_no_text_says_so(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    with pytest.raises(ConfigurationError) as caught:
        load_run(path)
    assert str(caught.value) == f"{path} can't be read (No such file or directory)."
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError) as caught:
        load_run(path)
    assert str(caught.value) == f"{path} is not UTF-8 text (byte 0)."


def test_every_field_of_a_result_is_in_the_file() -> None:
    stored = set(GOOD["cells"][0]) | {"seconds"}
    assert stored == {field.name for field in attrs.fields(CellResult)}
