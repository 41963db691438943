"""The templates ask of a site only what docs/adopting.md says."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Engine
from django.template.backends.django import get_installed_libraries
from django.template.loader import get_template


def folder(app: str) -> Path:
    """Where its templates stand, in a checkout or in the package."""
    names = {"messaging": "_head.html", "notifications": "email/new_message.html"}
    origin = Path(str(get_template(f"{app}/{names[app]}").template.origin))  # type: ignore[attr-defined]
    return origin.parent if app == "messaging" else origin.parent.parent


def templates() -> list[str]:
    return sorted(
        str(path.relative_to(folder(app).parent))
        for app in ("messaging", "notifications")
        for path in folder(app).rglob("*")
        if path.suffix in (".html", ".txt")
    )


def read(name: str) -> str:
    return (folder(name.partition("/")[0]).parent / name).read_text()


@pytest.fixture(scope="module")
def plain_engine() -> Engine:
    """Without the tags that this project gives to all of its templates."""
    return Engine(libraries=get_installed_libraries())


def test_there_are_templates() -> None:
    assert {"messaging/conversation.html", "notifications/email/new_message.txt"} < set(templates())


@pytest.mark.parametrize("name", templates())
def test_a_template_loads_the_tags_that_it_uses(name: str, plain_engine: Engine) -> None:
    plain_engine.from_string(read(name))


@pytest.mark.parametrize("name", templates())
def test_a_template_names_no_url_of_the_site(name: str) -> None:
    named = re.findall(r"""{% url ['"]([^'"]+)""", read(name))
    assert [url for url in named if not url.startswith(("messaging:", "admin:"))] == []


@pytest.mark.parametrize("name", templates())
def test_only_one_template_knows_the_base_of_the_site(name: str) -> None:
    extended = re.findall(r"""{% extends ['"]([^'"]+)""", read(name))
    assert name == "messaging/base.html" or all(
        base == "messaging/base.html" or base.startswith("admin/") for base in extended
    )
    assert not re.search(r"""{% include ['"](?!messaging/|notifications/|admin/)""", read(name))
    assert "static 'marketplace/" not in read(name)


def test_the_head_brings_what_scripts_ask_for() -> None:
    templates = str(folder("messaging").parent)
    engine = Engine(dirs=[templates], libraries=get_installed_libraries())
    head = engine.from_string(read("messaging/_head.html"))
    person = type("Person", (), {"is_authenticated": True, "pk": 7})
    page = head.render(Context({"user": person}))
    assert '<meta name="user-id" content="7">' in page
    assert f'<meta name="time-zone" content="{settings.TIME_ZONE}">' in page
