"""docs/adopting.md says what the apps ask for, and nothing that they do not know."""

import re
from pkgutil import resolve_name

import pytest

from tests.adoption.installation import HOST
from tests.services.places import PROJECT

SETTING = re.compile(r"\b(?:MESSAGING|NOTIFICATIONS)_[A-Z_]+\b")
NAME = re.compile(r"\b(?:messaging|notifications)\.[a-z_.]*[a-z]\b")
STARTED_ONLY = {"messaging.daphne"}  # Importing it would choose the event loop of this process.
PAGE = (PROJECT / "docs" / "adopting.md").read_text()
NEEDED_TEMPLATES = ("messaging/_head.html", "messaging/_ask.html")


def known_settings() -> set[str]:
    modules = [PROJECT / app / "conf.py" for app in ("messaging", "notifications")]
    return {name for module in modules for name in SETTING.findall(module.read_text())}


def test_it_names_every_setting_and_no_others() -> None:
    assert "MESSAGING_BROWSE_URL" in known_settings()
    assert set(SETTING.findall(PAGE)) == known_settings()


def test_what_the_shop_sets_is_in_it() -> None:
    shop = (HOST / "shopfront" / "settings.py").read_text()
    assert set(SETTING.findall(shop)) <= set(SETTING.findall(PAGE))


def test_its_base_template_is_the_shops() -> None:
    assert (HOST / "templates" / "messaging" / "base.html").read_text() in PAGE


@pytest.mark.parametrize("name", sorted(set(NAME.findall(PAGE)) - STARTED_ONLY))
def test_every_name_in_it_leads_somewhere(name: str) -> None:
    assert resolve_name(name) is not None


@pytest.mark.parametrize("name", NEEDED_TEMPLATES)
def test_its_templates_are_there(name: str) -> None:
    assert name in PAGE
    assert (PROJECT / "templates" / name).exists()


def test_its_channel_layer_is_the_shops() -> None:
    shop = (HOST / "shopfront" / "settings.py").read_text().replace("REDIS,", "REDIS_URL,")
    for name in ("PUBSUB", "LAYER", "CHANNEL_LAYERS"):
        [line] = re.findall(rf"^{name} = .*$", shop, re.MULTILINE)
        assert line in PAGE
