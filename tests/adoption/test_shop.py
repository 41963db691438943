"""The other project with the wheel in it: its commands, its pages and messaging's own tests."""

from pathlib import Path

from tests.adoption.installation import Shop
from tests.services.places import PROJECT

WHERE = """
import messaging, notifications
print(messaging.__file__)
print(notifications.__file__)
"""
LEAST_TESTS = 150
ABSENT = """
import importlib.util, sys
print([name for name in ("accounts", "marketplace") if importlib.util.find_spec(name)])
print([name for name in ("allauth", "PIL", "servestatic") if name in sys.modules])
"""


def test_the_apps_are_those_of_the_wheel(shop: Shop) -> None:
    for place in map(Path, shop.python("-c", WHERE).split()):
        assert place.is_relative_to(shop.packages)
        assert not place.is_relative_to(PROJECT / place.parent.name)


def test_nothing_of_the_marketplace_is_there(shop: Shop) -> None:
    assert shop.manage("shell", "--no-imports", "-c", ABSENT).split("\n")[:2] == ["[]", "[]"]


def test_its_checks_find_nothing(shop: Shop) -> None:
    assert "no issues" in shop.manage("check", "--fail-level", "WARNING")


def test_its_migrations_are_complete(shop: Shop) -> None:
    assert "No changes" in shop.manage("makemigrations", "--check", "--dry-run")


def test_migrating_makes_all_tables(shop: Shop) -> None:
    shop.manage("migrate", "--verbosity", "0")
    assert shop.manage("showmigrations", "--plan").count("[ ]") == 0


def test_its_own_tests_and_those_of_messaging_hold_there(shop: Shop) -> None:
    """Pages inside its base, and the contract with its own people and products."""
    printed = shop.test("tests", *shop.contract())
    assert int(printed.rpartition(" passed")[0].split()[-1]) > LEAST_TESTS, printed
