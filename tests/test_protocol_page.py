"""docs/protocol.md is the contract: what it names is there, and what is there it names."""

import inspect
import re

import pytest
from django.urls import Resolver404, resolve

from messaging import exceptions
from messaging.changing import ChangingConnection
from messaging.close_codes import CloseCode
from messaging.exceptions import MessagingError
from tests.services.places import PROJECT

PAGE = (PROJECT / "docs" / "protocol.md").read_text()
EXAMPLES = {
    "<slug>": "a-slug",
    "<conversation_id>": "01890a5d-ac96-774b-bcce-b302099a8057",
    "<sequence>": "1",
    "<uuid>": "01890a5d-ac96-774b-bcce-b302099a8057",
    "<id>": "1",
    "…": "login/",
}


def described_paths() -> list[str]:
    pages = PAGE[PAGE.index("## Pages") : PAGE.index("## Sockets")]
    rows = re.findall(r"^\| (.*?) \|", pages, re.MULTILINE)
    return [path for row in rows for path in paths_of(row)]


def paths_of(row: str) -> list[str]:
    """`…/star/` stands for the path before it with another end."""
    found: list[str] = []
    for path in re.findall(r"`(?:GET |POST )?((?:…)?/[^`?]*)", row):
        parent = found[-1].rstrip("/").rpartition("/")[0] if path.startswith("…") else ""
        found.append(parent + path.removeprefix("…"))
    return found


@pytest.mark.parametrize("path", described_paths())
def test_each_described_path_is_served(path: str) -> None:
    for name, example in EXAMPLES.items():
        path = path.replace(name, example)
    resolve(path)


def test_the_page_describes_paths() -> None:
    assert len(described_paths()) > 10
    with pytest.raises(Resolver404):
        resolve("/not/described/")


def test_each_error_is_described_with_its_status() -> None:
    errors = [
        value
        for _, value in inspect.getmembers(exceptions, inspect.isclass)
        if issubclass(value, MessagingError)
    ]
    codes = PAGE[PAGE.index("Error codes and HTTP statuses") :].partition("\n\n")[0]
    described: dict[str, int] = {}
    waiting: list[str] = []
    for name, status in re.findall(r"`([a-z_]+)`|\b([45]\d\d)\b", codes):
        if name:
            waiting.append(name)
        else:
            described |= {code: int(status) for code in waiting}
            waiting = []
    assert {error.code: error.status for error in errors}.items() <= described.items()


def test_each_close_code_is_described() -> None:
    codes = PAGE[PAGE.index("Close codes chosen") :].partition("\n\n")[0]
    assert {int(code) for code in re.findall(r"\b(4[45]\d\d)\b", codes)} == set(CloseCode)


def test_each_frame_of_a_client_is_described() -> None:
    table = PAGE[PAGE.index("### Client → server") : PAGE.index("### Server → client")]
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    described = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}
    assert described == set(ChangingConnection.frame_handlers)
