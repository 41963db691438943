"""The environment of a marketplace on the internet, and what a command says about another one."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.services.places import PROJECT

SECRET_KEY = "kept-by-nobody-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ"
TOOLS = Path(sys.executable).parent


def complete(directory: Path, **changes: str) -> dict[str, str]:
    """Everything that is asked for, with some of it changed; nothing of our own environment."""
    given = {
        "HOME": str(directory),
        "PATH": f"{TOOLS}{os.pathsep}/usr/local/bin:/usr/bin:/bin",
        "SECRET_KEY": SECRET_KEY,
        "SITE_URL": "https://market.example",
        "ALLOWED_HOSTS": "market.example",
        "TRUSTED_PROXY_COUNT": "1",
        "DATA_DIR": str(directory),
        "DATABASE_URL": "postgres://trato:p4ss@127.0.0.1:1/trato",
        "REDIS_URL": "redis://:p4ss@127.0.0.1:1/0",
        "EMAIL_URL": "smtp://user:p4ss@127.0.0.1:1?tls=1",
        "DEFAULT_FROM_EMAIL": "Market <mail@market.example>",
    }
    return {**given, **changes}


def run(
    *command: str | Path, environment: Mapping[str, str], directory: Path = PROJECT
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=directory, env=dict(environment), capture_output=True, text=True, timeout=60
    )


def run_manage(
    arguments: Sequence[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "manage.py", *arguments, environment=environment)
