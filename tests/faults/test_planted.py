"""The bugs of `bin/faults planted` still fit the product that they are planted in."""

import subprocess
import sys

import pytest

from tests.faults import planted
from tests.faults.checker import PROMISES
from tests.services import ENVIRONMENT
from tests.services.places import PROJECT

pytestmark = pytest.mark.processes

PLANT_ALL = """
import django
django.setup()
import marketplace.asgi, celery_app
from tests.faults import planted
planted.load()
for bug in planted.BUGS.values():
    bug.plant()
print(len(planted.BUGS))
"""


def test_every_bug_can_be_planted() -> None:
    """All in one process: a function or method that is no longer there ends it."""
    environment = {
        **ENVIRONMENT,
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "PATH": "/usr/bin:/bin",
    }
    ran = subprocess.run(
        [sys.executable, "-c", PLANT_ALL],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) >= 60


def test_every_invariant_that_a_bug_can_break_has_one() -> None:
    planted.load()
    caught = {name for bug in planted.BUGS.values() for name in bug.invariants}
    without_files = PROMISES.keys() - {"I12"}
    assert caught == without_files


def test_the_product_knows_nothing_of_it() -> None:
    apps = ("accounts", "marketplace", "messaging", "notifications")
    sources = [path for app in apps for path in (PROJECT / app).rglob("*.py")]
    assert not [path for path in sources if planted.NAME in path.read_text()]
