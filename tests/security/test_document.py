"""docs/security.md names a test for everything it says, and nothing is left out."""

import ast
import re

import pytest
from django.conf import settings

from tests.services.places import PROJECT
from tests.test_named_tests import TEST

PAGE = (PROJECT / "docs" / "security.md").read_text()
CHECKLIST = [
    "4.4.1, 3.4.1", "4.4.2", "4.4.3, 4.4.4", "7.2.1–7.2.4", "7.3.1, 7.3.2",
    "7.4.1–7.4.3, 7.4.5, 7.5.2", "8.2.1, 8.2.2, 8.3.1", "8.2.3, 15.3.1, 15.3.3", "8.3.2",
    "1.2.1, 1.3.x, 3.2.2", "1.3.11, 1.2.10", "1.3.6", "1.3.12", "2.2.x, 4.1.1",
    "2.3.3, 15.4.2", "2.4.1, 6.1.1, 6.3.1, 6.6.3", "6.3.8", "6.2.x, 6.4.3, 6.5.x",
    "3.3.1–3.3.4", "3.4.3, 3.4.6, 3.4.7", "3.4.4, 3.4.5, 3.4.8, 3.5.8", "3.5.1–3.5.3",
    "5.2.1–5.2.6", "5.3.1, 5.3.2, 5.4.1, 5.4.2, 3.2.1", "5.4.3", "14.2.8", "14.2.1, 14.3.2",
    "14.2.7", "16.2.5, 16.4.1, 16.5.1", "16.3.1–16.3.4", "16.5.2, 16.5.3",
    "13.2.3, 13.3.1, 13.4.2", "13.1.x, 13.2.6", "15.1.2, 15.2.1", "4.2.1, 15.3.4, 4.1.3",
]  # fmt: skip
ADVISORIES = [f"R{number}" for number in range(1, 36)]
HEADINGS = [
    "The model in a page",
    "What is not defended",
    "How to report something",
    "The checklist",
    "What has happened to others",
]


def rows(heading: str) -> dict[str, str]:
    """Each row of the table under a heading: its first cell and the rest."""
    table = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^\| ([^|]+?) \| (.*) \|$", table, re.MULTILINE)
    return {name: rest for name, rest in found if name not in ("number", "---")}


def test_it_has_its_parts() -> None:
    assert re.findall(r"^## (.*)$", PAGE, re.MULTILINE) == HEADINGS


@pytest.mark.parametrize(
    ("heading", "expected"), [(HEADINGS[3], CHECKLIST), (HEADINGS[4], ADVISORIES)]
)
def test_nothing_is_left_out(heading: str, expected: list[str]) -> None:
    found = rows(heading)
    assert list(found) == expected
    for name, rest in found.items():
        assert TEST.search(rest) or "not in the product" in rest, name


# --- What has no better place ---------------------------------------------------------------------


def test_cookies_are_marked() -> None:
    for name in ("SESSION", "CSRF", "LANGUAGE"):
        assert getattr(settings, f"{name}_COOKIE_SAMESITE") == "Lax"
        assert getattr(settings, f"{name}_COOKIE_SECURE") is settings.SECURE
    assert settings.SESSION_COOKIE_HTTPONLY
    source = (PROJECT / "marketplace" / "settings.py").read_text()
    assert '"__Host-sessionid", "__Host-csrftoken"' in source


@pytest.mark.parametrize("kind", ["runtime", "test", "dev"])
def test_every_package_is_pinned_with_its_hash(kind: str) -> None:
    text = (PROJECT / "requirements" / f"{kind}.txt").read_text().replace("\\\n", " ")
    packages = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(packages) > 20
    for line in packages:
        assert re.match(r"[A-Za-z0-9_.-]+(\[[a-z,]+\])?==[^ ]+ ", line), line
        assert "--hash=sha256:" in line, line


# Who speaks HTTP to others: the page that asks its own process how it is. allauth asks providers
# that whoever runs the site has named.
HTTP_CLIENTS = {"requests", "httpx", "aiohttp", "urllib3", "urllib.request", "http.client"}
KNOWN_CLIENTS = {"marketplace/ask_health.py", "accounts/views.py"}


def test_no_address_that_somebody_writes_is_ever_fetched() -> None:
    found = set()
    for app in ("accounts", "marketplace", "messaging", "notifications"):
        for path in (PROJECT / app).rglob("*.py"):
            name = str(path.relative_to(PROJECT))
            if "/tests/" in name or "/development/" in name:
                continue
            nodes = list(ast.walk(ast.parse(path.read_text())))
            imports = [node for node in nodes if isinstance(node, ast.Import)]
            names = {each.name for node in imports for each in node.names}
            for node in nodes:
                if isinstance(node, ast.ImportFrom) and node.module:
                    names |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
            if names & HTTP_CLIENTS:
                found.add(name)
    assert found == KNOWN_CLIENTS
