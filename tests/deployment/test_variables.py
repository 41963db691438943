"""The table of variables in docs/operations.md, held to the code that reads them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.services.places import PROJECT

READING = ("accounts", "marketplace", "messaging", "notifications")
NAME = re.compile(r"[A-Z][A-Z0-9_]+")
# Said by one part of `bin/dev` to another, and by nobody else.
BETWEEN_OURSELVES = {"WORKER_READY_FILE", "DJANGO_SETTINGS_MODULE"}
ROW = re.compile(r"^\| ((?:`[A-Z0-9_]+`(?:, )?)+) \|", re.MULTILINE)


def list_modules() -> Iterator[Path]:
    yield PROJECT / "celery_app.py"
    for app in READING:
        for path in sorted((PROJECT / app).rglob("*.py")):
            parts = path.relative_to(PROJECT).parts
            if "tests" not in parts and "development" not in parts:
                yield path


def find_names(module: Path) -> set[str]:
    """First arguments of `environment.<reader>("NAME", …)`, and keys of `os.environ`."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Call) and reads_environment(node.func) and node.args:
            found.add(read_constant(node.args[0]))
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            found.add(read_constant(node.slice))
    return found - {""}


def reads_environment(function: ast.expr) -> bool:
    said = ast.unparse(function)
    if said.startswith("environment."):
        return said != "environment.stop"
    return said in {"os.environ.get", "os.getenv", "os.environ.setdefault", "environ.get"}


def read_constant(argument: ast.expr) -> str:
    value = argument.value if isinstance(argument, ast.Constant) else None
    return value if isinstance(value, str) and NAME.fullmatch(value) else ""


def names_in_code() -> set[str]:
    found = {name for module in list_modules() for name in find_names(module)}
    return found - BETWEEN_OURSELVES


def names_in_table() -> list[str]:
    table = (PROJECT / "docs" / "operations.md").read_text()
    return [name for row in ROW.findall(table) for name in re.findall(r"`([A-Z0-9_]+)`", row)]


def test_every_variable_is_documented_and_every_documented_one_is_read() -> None:
    read, documented = names_in_code(), names_in_table()
    assert len(read) > 15
    assert sorted(read - set(documented)) == [], "missing from the table"
    assert sorted(set(documented) - read) == [], "in the table and read by nobody"


def test_each_is_documented_once() -> None:
    documented = names_in_table()
    assert len(documented) == len(set(documented))
