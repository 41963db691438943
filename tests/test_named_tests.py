"""docs/security.md and docs/faults.md name a test for what they say: all of them are there."""

import ast
import re
from functools import cache

import pytest

from tests.services.places import PROJECT

TEST = re.compile(r"`((?:[a-z]+/)+test_[a-z_]+\.py)(?:::(test_[a-z0-9_]+))?`")
PAGES = {name: (PROJECT / "docs" / f"{name}.md").read_text() for name in ("security", "faults")}
NAMED = sorted({found for page in PAGES.values() for found in TEST.findall(page)})


@cache
def read_tests(path: str) -> set[str]:
    tree = ast.parse((PROJECT / path).read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


@pytest.mark.parametrize("found", NAMED, ids="::".join)
def test_each_test_that_they_name_is_there(found: tuple[str, str]) -> None:
    path, name = found
    assert (PROJECT / path).is_file()
    assert any(test.startswith("test_") for test in read_tests(path))
    assert not name or name in read_tests(path)


@pytest.mark.parametrize(("name", "least"), [("security", 70), ("faults", 25)])
def test_each_file_that_they_mean_is_understood(name: str, least: int) -> None:
    """Negative control: nothing in backquotes that looks like a test slips through."""
    page = PAGES[name]
    assert len(re.findall(r"test_[a-z_]+\.py", page)) == len(TEST.findall(page)) > least


def test_each_promise_has_its_tests() -> None:
    promised = re.findall(r"^(\d)\. \*\*", (PROJECT / "docs/protocol.md").read_text(), re.MULTILINE)
    rows = dict(re.findall(r"^\| (\d)\. [^|]+\| (.*) \|$", PAGES["faults"], re.MULTILINE))
    assert promised == list(rows) == list("1234567")
    assert all(TEST.search(row) for row in rows.values())
