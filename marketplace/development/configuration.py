"""The environment in which `bin/dev` runs its children. What a person has set stays as it is."""

import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from marketplace.development import valkey

PROJECT = Path(__file__).resolve().parent.parent.parent
EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 (recognised, not bound)


@dataclass(frozen=True)
class Places:
    """Everything that `bin/dev` writes is in here."""

    data: Path

    @property
    def lock(self) -> Path:
        return self.data / "dev.lock"

    @property
    def logs(self) -> Path:
        return self.data / "log"

    @property
    def prepared(self) -> Path:
        return self.data / "prepared.json"

    @property
    def worker_ready(self) -> Path:
        return self.data / "run" / "worker-ready"

    @property
    def valkey_socket(self) -> str:
        """Relative to the project if it can be: a socket's path has 107 bytes at most."""
        return os.path.relpath(self.data / "run" / "valkey.sock", PROJECT)

    def make(self) -> None:
        for folder in (self.data, self.logs, self.worker_ready.parent):
            folder.mkdir(parents=True, exist_ok=True)


def places(environment: Mapping[str, str]) -> Places:
    return Places(PROJECT / (environment.get("DATA_DIR") or "var"))


def complete(environment: Mapping[str, str], *, host: str, port: int) -> dict[str, str]:
    """`environment` with everything that the settings ask for."""
    where = places(environment)
    hosts = ["127.0.0.1", "localhost", *further_hosts(host)]
    defaults = {
        "DEBUG": "1",
        "SITE_URL": f"http://localhost:{port}",
        "ALLOWED_HOSTS": ",".join(dict.fromkeys([*hosts, "[::1]"])),
        "ALLOWED_ORIGINS": ",".join(f"http://{name}:{port}" for name in dict.fromkeys(hosts)),
        "REDIS_URL": valkey.socket_url(PROJECT, where.valkey_socket),
        "DRAIN_SECONDS": "2",
        "WORKER_READY_FILE": str(where.worker_ready),
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "marketplace.settings",
    }
    given = {name: value for name, value in environment.items() if value}
    if "SECRET_KEY" not in given:
        defaults["SECRET_KEY"] = secret_key(where.data / "secret_key")
    return {**environment, **defaults, **given}


def further_hosts(host: str) -> list[str]:
    if host in EVERYWHERE:
        return own_addresses()
    return [f"[{host}]" if ":" in host else host]


def own_addresses() -> list[str]:
    """The address under which others in the local network reach this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # Sends nothing; only picks a route.
        except OSError:
            return []
        return [str(probe.getsockname()[0])]


def secret_key(path: Path) -> str:
    """Made once: with a new one, everybody would be signed out."""
    try:
        if key := path.read_text().strip():
            return key
    except FileNotFoundError:
        pass
    key = secrets.token_urlsafe(50)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(key + "\n")
    return key
