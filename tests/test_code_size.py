"""Small modules and small functions, so that a reader finds things and sees them whole."""

import ast
from pathlib import Path

import pytest

from tests.services.places import PROJECT

LONGEST_MODULE = 300
LONGEST_FUNCTION = 60
APPS = ("accounts", "marketplace", "messaging", "notifications")


def modules() -> list[Path]:
    found = [path for app in APPS for path in sorted((PROJECT / app).rglob("*.py"))]
    found = [path for path in found if not {"migrations", "tests"} & set(path.parts)]
    return [*found, PROJECT / "celery_app.py"]


@pytest.mark.parametrize("module", modules(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_module_and_its_functions_are_small(module: Path) -> None:
    source = module.read_text()
    assert source.count("\n") <= LONGEST_MODULE
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < LONGEST_FUNCTION, node.name


def test_there_are_modules_to_measure() -> None:
    assert len(modules()) > 50
