"""How the commands run what is too long for `bin/test`: as pytest does, in a process of its own."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent


def run(tests: Sequence[str], given: Sequence[str]) -> int:
    """pytest brings the services and the database. What it prints is the report."""
    command = [sys.executable, "-m", "pytest", "-p", "tests.model.options", "-q", "-s"]
    command += ["--timeout=0", "--tb=short", "--show-capture=no"]
    return subprocess.run([*command, *given, *tests], cwd=PROJECT).returncode
