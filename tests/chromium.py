"""Finds the browser. Standard library only: `bin/test` asks before there is an environment."""

import os
import shutil
import subprocess

# The same browser without what draws windows, for half of the processor's time. It keeps no page
# for the back button.
SHELL = "chromium-headless-shell"
WHOLE = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """CHROMIUM_PATH, else what is on the PATH, the cheaper one first."""
    return find_named(SHELL, *WHOLE)


def find_whole() -> str | None:
    """The one that keeps pages for the back button."""
    return find_named(*WHOLE)


def find_named(*names: str) -> str | None:
    given = os.environ.get("CHROMIUM_PATH")
    if given:
        return given if os.access(given, os.X_OK) else None
    return next((found for name in names if (found := shutil.which(name))), None)


def list_packages() -> list[str]:
    """The names under which this system has it. Not every one has the shell."""
    apt = shutil.which("apt-cache")
    if apt and not subprocess.run([apt, "show", SHELL], capture_output=True).returncode:
        return [WHOLE[0], SHELL]
    return [WHOLE[0]]
