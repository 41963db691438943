"""Finds the browser. Standard library only: `bin/test` asks before there is an environment."""

import os
import shutil
import subprocess

# The same browser without what draws windows, for half of the processor's time.
SHELL = "chromium-headless-shell"
NAMES = (
    SHELL,
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)


def find() -> str | None:
    """CHROMIUM_PATH, else what is on the PATH."""
    given = os.environ.get("CHROMIUM_PATH")
    if given:
        return given if os.access(given, os.X_OK) else None
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def find_package() -> str:
    """The name under which this system has it. Not every one has the shell."""
    apt = shutil.which("apt-cache")
    if apt and not subprocess.run([apt, "show", SHELL], capture_output=True).returncode:
        return SHELL
    return "chromium"
