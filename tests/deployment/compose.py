"""docker-compose.yml as Compose reads it: anchors merged, variables filled in."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from tests.services.places import PROJECT

FILE = PROJECT / "docker-compose.yml"
# `$$`, `${NAME}`, `${NAME:-otherwise}`, `${NAME:?what to do}`.
VARIABLE = re.compile(r"\$(?:(\$)|\{(\w+)(?:(:-|:\?)([^}]*))?\})")
GIVEN = {
    "SECRET_KEY": secrets.token_urlsafe(50),
    "SITE_URL": "https://market.example",
    "ALLOWED_HOSTS": "market.example",
    "POSTGRES_PASSWORD": secrets.token_hex(32),
    "REDIS_PASSWORD": secrets.token_hex(32),
    "EMAIL_URL": "smtp://user:password@mail.example:587?tls=1",
    "DEFAULT_FROM_EMAIL": "Market <mail@market.example>",
    "TLS_DIR": "/etc/letsencrypt/live/market.example",
}


class NotSet(Exception):
    """A required variable; carries the sentence that Compose would print."""


@dataclass(frozen=True)
class Compose:
    content: dict[str, Any]

    @property
    def services(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self.content["services"]
        return found

    def command(self, service: str) -> list[str]:
        return [str(part) for part in self.services[service]["command"]]

    def environment(self, service: str) -> dict[str, str]:
        return dict(self.services[service].get("environment", {}))


def read(given: Mapping[str, str] = GIVEN) -> Compose:
    return Compose(fill_in(yaml.safe_load(FILE.read_text()), given))


def fill_in(value: Any, given: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: fill_in(item, given) for key, item in value.items()}
    if isinstance(value, list):
        return [fill_in(item, given) for item in value]
    if not isinstance(value, str):
        return value

    def find(match: re.Match[str]) -> str:
        dollar, name, way, further = match.groups()
        if dollar:
            return "$"
        if way == ":?" and not given.get(name):
            raise NotSet(f"{name}: {further}")
        return given.get(name) or (further if way == ":-" else "")

    return VARIABLE.sub(find, value)
