"""A repeat inside a repeat is what takes for ever: there is none in any pattern of ours, whether a
module compiles it, a route is one, or a form or a model checks by it."""

import ast
import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from re import _parser as parser  # type: ignore[attr-defined]
from types import ModuleType
from typing import Any

import pytest
from django import forms
from django.apps import apps
from django.core.validators import EmailValidator, RegexValidator
from django.urls import URLResolver, get_resolver

from messaging.routing import websocket_urlpatterns
from tests.services.places import PROJECT
from tests.test_code_size import modules

OWN_APPS = ("accounts", "listings", "privacy", "operating", "messaging", "notifications")
TAKES_A_PATTERN = {"compile", "match", "fullmatch", "search", "sub", "subn", "split"}
TAKES_A_PATTERN |= {"findall", "finditer"}
# Django's own: refuses what is longer than 320 signs before it looks.
LIMITED = EmailValidator


def name_of(module: Path) -> str:
    path = module.relative_to(PROJECT).with_suffix("")
    return ".".join(path.parts).removesuffix(".__init__")


def sources() -> list[Path]:
    """All of ours that can be imported: entry points begin to run."""
    return [module for module in modules() if module.name != "__main__.py"]


# --- What is compiled -----------------------------------------------------------------------------


def calls_of_re(module: Path) -> list[ast.Call]:
    nodes = ast.walk(ast.parse(module.read_text()))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    return [node for node in calls if is_of_re(node.func)]


def is_of_re(called: ast.expr) -> bool:
    is_method = isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name)
    return is_method and called.value.id == "re" and called.attr in TAKES_A_PATTERN  # type: ignore[attr-defined]


def written_in(call: ast.Call) -> str | bytes | None:
    given = call.args[0] if call.args else None
    is_text = isinstance(given, ast.Constant) and isinstance(given.value, str | bytes)
    return given.value if is_text else None  # type: ignore[union-attr]


def compiled_in(module: ModuleType) -> Iterator[re.Pattern[Any]]:
    """Whatever they were put together from: names of the module, of its classes, in its tables."""
    own = [
        kind for kind in vars(module).values() if getattr(kind, "__module__", 0) == module.__name__
    ]
    for place in (module, *(kind for kind in own if isinstance(kind, type))):
        yield from patterns_in(vars(place).values())


def patterns_in(values: Iterable[Any]) -> Iterator[re.Pattern[Any]]:
    for value in list(values):
        if isinstance(value, re.Pattern):
            yield value
        elif isinstance(value, list | tuple | set | frozenset):
            yield from patterns_in(value)
        elif type(value) is dict:
            yield from patterns_in([*value, *value.values()])


def test_none_that_a_module_compiles() -> None:
    written, compiled = set(), set()
    for module in sources():
        calls = calls_of_re(module)
        written |= {text for call in calls if (text := written_in(call)) is not None}
        found = {pattern.pattern for pattern in compiled_in(import_module(name_of(module)))}
        compiled |= found
        # One that is put together has to be where it is found, and is one of those.
        put_together = [call for call in calls if written_in(call) is None]
        assert len(put_together) <= len(found - written), module
    for pattern in written | compiled:
        assert not has_nested_repeat(parser.parse(pattern)), pattern
    assert len(written) > 20
    assert len(compiled) > 15


def test_no_other_way_to_compile_one_is_taken() -> None:
    """`from re import …`, another name for it or another library would slip through."""
    for module in sources():
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Import):
                for each in node.names:
                    assert each.name != "regex", module
                    assert each.name != "re" or each.asname is None, module
            if isinstance(node, ast.ImportFrom):
                assert node.module not in ("re", "regex"), module


# --- What Django compiles for us ------------------------------------------------------------------


def walk_routes(entries: Iterable[Any]) -> Iterator[re.Pattern[str]]:
    for entry in entries:
        yield entry.pattern.regex
        if isinstance(entry, URLResolver):
            yield from walk_routes(entry.url_patterns)


def test_none_that_is_a_route() -> None:
    """Those of allauth's and of the admin's are among them."""
    found = {route.pattern for route in walk_routes(get_resolver().url_patterns)}
    found |= {route.pattern.regex.pattern for route in websocket_urlpatterns}
    for pattern in found:
        assert not has_nested_repeat(parser.parse(pattern)), pattern
    assert len(found) > 100


def list_validators() -> list[Any]:
    for module in sources():
        import_module(name_of(module))
    fields: list[Any] = [
        field for label in OWN_APPS for model in apps.get_app_config(label).get_models()
        for field in model._meta.get_fields() if hasattr(field, "validators")
    ]  # fmt: skip
    for form in subclasses_of(forms.BaseForm):
        if form.__module__.split(".")[0] in (
            "accounts",
            "marketplace",
            "messaging",
            "notifications",
        ):
            fields += getattr(form, "base_fields", {}).values()
    return [validator for field in fields for validator in field.validators]


def subclasses_of(kind: Any) -> Iterator[Any]:
    for each in kind.__subclasses__():
        yield each
        yield from subclasses_of(each)


def test_none_that_a_form_or_a_model_checks_by() -> None:
    validators = list_validators()
    assert len(validators) > 40
    patterns: list[Any] = [each.regex for each in validators if isinstance(each, RegexValidator)]
    for validator in validators:
        if not isinstance(validator, RegexValidator | LIMITED):
            patterns += patterns_in(
                [getattr(validator, name) for name in dir(validator) if "regex" in name]
            )
    assert patterns
    for pattern in patterns:
        assert not has_nested_repeat(parser.parse(pattern.pattern)), pattern


# --- How it is found ------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["(a+)+$", "(?:x*y?)*", "((ab)+c*)+", "(a|b+)*", "(?=(a+)+)b"])
def test_a_repeat_inside_a_repeat_is_found(pattern: str) -> None:
    assert has_nested_repeat(parser.parse(pattern))


@pytest.mark.parametrize("pattern", ["a+b+", "(a{3})+", "(ab?c)*", "(?:a+){2}"])
def test_one_after_the_other_is_none(pattern: str) -> None:
    assert not has_nested_repeat(parser.parse(pattern))


def has_nested_repeat(tree: Any, *, inside: bool = False) -> bool:
    """Whether something that repeats without end stands in something that does."""
    for operation, argument in tree:
        kind = str(operation)
        endless = kind in ("MAX_REPEAT", "MIN_REPEAT") and int(argument[1]) > 1000
        if endless and inside:
            return True
        parts = argument if isinstance(argument, list | tuple) else [argument]
        for part in parts:
            inner = part if isinstance(part, list) else [part]
            for one in inner:
                if hasattr(one, "data") and has_nested_repeat(one, inside=inside or endless):
                    return True
    return False
