"""Processes die at every place between a COMMIT and what follows from it: the short form of
`bin/faults failpoints`, which does the same a hundred times each."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from notifications.failpoints import KILLED
from tests.faults.dying.stage import Stage, set_stage
from tests.faults.dying.table import AFTER_COMMIT, ROWS, Row, find_marked, first_rows
from tests.faults.failpoints import try_row
from tests.services import services
from tests.services.databases import create_database, drop_database
from tests.services.places import PROJECT

pytestmark = pytest.mark.processes

DATABASE = "trato_failpoints"


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    assert services.directory is not None
    directory, main_url = services.directory / "failpoints", os.environ["DATABASE_URL"]
    directory.mkdir()
    with set_stage(directory, create_database(main_url, DATABASE)) as made:
        yield made
    drop_database(main_url, DATABASE)


@pytest.mark.parametrize("row", first_rows(), ids=lambda row: f"{row.place} {row.stored}")
def test_who_dies_there_loses_nothing_and_stores_nothing_twice(stage: Stage, row: Row) -> None:
    label = f"row{first_rows().index(row)}"
    tally = try_row(stage, row, 1, label)
    assert tally.holds, tally.examples
    assert bool(tally.stored) == row.stored


def test_what_is_lost_is_seen(stage: Stage) -> None:
    """The place before the commit, judged as if it were behind it."""
    control = next(row for row in ROWS if row.place == "record.storing")
    tally = try_row(stage, replace(control, stored=True), 1, "control")
    assert (tally.hits, tally.lost, tally.holds) == (1, 1, False)


def test_every_place_has_a_row_and_every_row_a_place() -> None:
    marked = list(find_marked())
    assert len(marked) > 30
    assert len(set(marked)) == len(marked), "the same name twice"
    assert set(marked) == {row.place for row in ROWS}


def find_after_commit() -> list[str]:
    """Module and function of each call of Django's `on_commit` in the product."""
    found = []
    for module in product_modules():
        for function in ast.walk(ast.parse(module.read_text())):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                name = f"{module.relative_to(PROJECT)} {function.name}"
                found += [name] * sum(map(is_on_commit, ast.walk(function)))
    return found


def product_modules() -> Iterator[Path]:
    for app in ("accounts", "marketplace", "messaging", "notifications"):
        for module in sorted((PROJECT / app).rglob("*.py")):
            if "tests" not in module.parts:
                yield module


def is_on_commit(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    return getattr(node.func, "attr", getattr(node.func, "id", "")) == "on_commit"


def test_whatever_follows_a_commit_has_a_mark_or_a_reason() -> None:
    found = find_after_commit()
    assert sorted(found) == sorted(AFTER_COMMIT)
    marked = set(find_marked())
    for name, why in AFTER_COMMIT.items():
        assert why in marked or why.endswith("."), name


def test_each_call_after_a_commit_is_found() -> None:
    """Negative control: none is outside of a function, or written in another way."""
    written = [re.sub("#.*", "", module.read_text()) for module in product_modules()]
    count = sum(len(re.findall(r"\.on_commit\b|import on_commit", text)) for text in written)
    assert count == len(find_after_commit())


@pytest.mark.parametrize(
    ("place", "after", "status"),
    [("here", "2", KILLED), ("here", "3", 0), ("elsewhere", "", 0), ("", "", 0)],
)
def test_a_process_is_armed_by_its_environment(place: str, after: str, status: int) -> None:
    code = "from notifications import failpoints as f; f.reach('here'); f.reach('here')"
    environment = {**os.environ, "FAILPOINT": place, "FAILPOINT_AFTER": after}
    ended = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, env=environment)
    assert ended.returncode == status
