"""The marketplace's own settings, with the doors of crashing.py."""

from marketplace.settings import *  # noqa: F403

ROOT_URLCONF = "tests.processes.crashing"
