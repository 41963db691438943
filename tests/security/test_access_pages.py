"""The access matrix of pages: every address of the site, whoever asks.

The routes come from Django's resolver and the people from `world.py`. Each cell asks for the
status, for no byte of the secret and of others' addresses, for no key in an address, and for no
effect unless there is to be one. What is not for somebody looks to them as if it were not there.
"""

from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from messaging.tests.browsing import JSON
from tests.security.addresses import expect_no_key_in_addresses
from tests.security.bodies import BODIES
from tests.security.routes import fill_in, list_routes, variables_of
from tests.security.table_of_pages import CONVERSATIONS, ROWS, SOME, Row
from tests.security.world import (
    PEOPLE,
    SECRET,
    World,
    add_passkey,
    make_world,
    text_of,
    undone,
    without_own_parts,
)

pytestmark = pytest.mark.django_db
TAKE_PART = {"owner", "other", "blocked"}
# Where nobody in this table may: each has tests of its own, which the names say.
NOBODY_HERE = {
    "metrics/",  # messaging/tests/test_metrics.py: who knows the token.
    "accounts/oidc/<slug:provider_id>/login/",  # marketplace/tests/test_accounts_elsewhere.py.
    r"accounts/oidc/^(?P<provider_id>[^/]+)/login/",
    r"accounts/oidc/^(?P<provider_id>[^/]+)/login/callback/",
    "accounts/3rdparty/login/error/",
    "accounts/2fa/totp/deactivate/",  # accounts/tests/test_second_factor.py.
    "accounts/2fa/recovery-codes/",
    "accounts/2fa/recovery-codes/download/",
}
# Whom else the same rule keeps out needs not be asked twice.
COMPARED = ("stranger", "removed", "owner")
# A method that nobody may use is refused before it is asked who that is.
OF_NOBODY = ("anonymous", "stranger", "owner", "staff", "deactivated")
ASKED_AS_JSON = ("anonymous", "stranger", "owner", "blocked", "removed")
ASK_AGAIN = {
    ("POST", "accounts/privacy/export/"),
    ("GET", "accounts/privacy/export/<uuid:export_id>/"),
    ("POST", "accounts/privacy/erase/"),
    ("POST", "accounts/deactivate/"),
    ("POST", "accounts/2fa/recovery-codes/generate/"),
    ("POST", "accounts/2fa/totp/activate/"),
    ("POST", "accounts/2fa/webauthn/add/"),
    ("POST", "accounts/2fa/webauthn/keys/<int:pk>/remove/"),
}
OF_ONE_REQUEST = {"Content-Length", "X-Request-ID", "Set-Cookie"}


def of_admin(route: str) -> bool:
    """Those have a matrix of their own: test_access_admin.py."""
    return route.startswith("admin/")


def test_every_route_has_its_rows() -> None:
    routes = [route for route in list_routes() if not of_admin(route)]
    assert len(routes) > 60
    assert sorted((row.route, row.method) for row in ROWS) == sorted(
        (route, method) for route in routes for method in ("GET", "POST")
    )


def test_what_an_address_names_is_asked_for_by_the_other_side_and_by_staff() -> None:
    named = [row for row in ROWS if variables_of(row.route)]
    assert len(named) > 40
    assert [row for row in named if not {*SOME} <= set(row.cells)] == []


def test_in_every_row_somebody_may() -> None:
    """A table of refusals only would hold of a site that is switched off."""
    for row in ROWS:
        statuses = {cell[:3] for cell in row.cells.values()}
        may = {cell for cell in row.cells.values() if cell[0] in "23" and cell[-1] not in "LR"}
        assert may or "405" in statuses or row.route in NOBODY_HERE or leads_on(row), row


def leads_on(row: Row) -> bool:
    """Half-way steps of signing in: without the step before they lead somewhere else."""
    return set(row.cells.values()) <= {"302L", "302R", "302"}


@pytest.fixture
def world() -> World:
    return make_world()


def ask(client: Client, row: Row, path: str, **headers: str) -> Any:
    if row.method == "GET":
        return client.get(path, headers=headers)
    body = BODIES.get(row.route, {})
    if headers:
        return client.post(path, body, content_type=JSON, headers=headers)
    return client.post(path, body)


def describe(answer: Any, written: set[str]) -> str:
    """As a cell of the table says it."""
    target = answer.headers.get("Location", "")
    ends = {"/accounts/login/": "L", "/accounts/reauthenticate/": "R"}
    mark = next((mark for path, mark in ends.items() if target.startswith(path)), "")
    return f"{answer.status_code}{mark}{'*' if written else ''}"


def expect_no_secret(world: World, who: str, text: str, route: str = "") -> None:
    typed = " ".join(map(str, BODIES.get(route, {}).values()))
    for word in world.words_kept_from(who, takes_part=who in TAKE_PART):
        assert word in typed or word not in text, (who, word)


def test_everybody_gets_what_is_theirs(world: World) -> None:
    """All in one world: each visit is undone, and to make the world takes longer than a visit."""
    differences = []
    for row in ROWS:
        with transaction.atomic():
            found = visit(world, row)
            transaction.set_rollback(True)
        expected = {who: row.cells[who] for who in who_asks(row)}
        differences += [(row.method, row.route, found)] if found != expected else []
    assert differences == []


def who_asks(row: Row) -> list[str]:
    is_of_nobody = set(row.cells.values()) == {"405"}
    return [who for who in row.cells if who in OF_NOBODY or not is_of_nobody]


def visit(world: World, row: Row) -> dict[str, str]:
    if "pk" in variables_of(row.route):
        add_passkey(world)
    found = {}
    for who in who_asks(row):
        client = world.clients[who]
        with undone(client) as written:
            answer = ask(client, row, fill_in(row.route, world.values))
            found[who] = describe(answer, written)
            text = text_of(answer)
            expect_no_key_in_addresses(client, answer, text)
        expect_no_secret(world, who, text, row.route)
        if answer.status_code == 404 and variables_of(row.route) and who in COMPARED:
            expect_the_same_of_nothing(world, row, client, answer)
    return found


def expect_the_same_of_nothing(world: World, row: Row, client: Client, answer: Any) -> None:
    """A thing that is not theirs and a thing that is not there: equal to the byte."""
    with undone(client):
        missing = ask(client, row, fill_in(row.route, world.values | world.missing))
    assert missing.status_code == 404
    names = [*map(str, world.values.values()), *map(str, world.missing.values())]
    names = [name for name in names if len(name) > 3]
    bodies = [
        without_own_parts(one.content.decode().replace(one.wsgi_request.path, ""), names, one)
        for one in (answer, missing)
    ]
    assert bodies[0] == bodies[1], row
    headers = [
        {name: value for name, value in one.headers.items() if name not in OF_ONE_REQUEST}
        for one in (answer, missing)
    ]
    assert headers[0] == headers[1], row


def test_what_decides_over_an_account_asks_for_the_password_again(world: World) -> None:
    add_passkey(world)
    client = world.clients["stale"]
    rows = [row for row in ROWS if (row.method, row.route) in ASK_AGAIN]
    assert len(rows) == len(ASK_AGAIN)
    for row in rows:
        with undone(client) as written:
            answer = ask(client, row, fill_in(row.route, world.values))
        assert describe(answer, written) == "302R", row
        assert row.cells["owner"] != "302R"  # Who has just typed it is let through.


def test_as_json_it_is_the_same_to_everybody(world: World) -> None:
    for row in CONVERSATIONS:
        for who in ASKED_AS_JSON:
            cell = row.cells[who]
            client = world.clients[who]
            with undone(client) as written:
                answer = ask(client, row, fill_in(row.route, world.values), Accept=JSON)
                found = describe(answer, written)
            expect_no_secret(world, who, text_of(answer), row.route)
            assert found == as_json(cell, answer.status_code), (row, who)
            if answer.status_code >= 400:
                assert set(answer.json()) <= {"code", "detail", "retry_after"}


def as_json(cell: str, status: int) -> str:
    """Log-in is 401; what leads a form on is an answer."""
    if cell == "302":
        return cell  # A page of its own for each: see the table.
    if cell.endswith("L"):
        return "401"
    if cell.startswith("303"):
        assert status in (200, 201)
        return cell.replace("303", str(status))
    return cell


def test_other_methods_do_nothing_to_anybody(world: World) -> None:
    add_passkey(world)
    client = world.clients["stranger"]
    paths = [fill_in(row.route, world.values) for row in ROWS if row.method == "GET"]
    for path in paths:
        with undone(client) as written:
            answers = [getattr(client, method)(path) for method in ("put", "patch", "delete")]
        assert not written, path
        for answer in answers:
            assert answer.status_code < 500, path
            expect_no_secret(world, "stranger", text_of(answer))


def test_the_secret_is_there_to_be_seen(world: World) -> None:
    """Negative control of all that was not found above."""
    path = f"/conversation/{world.conversation.pk}/"
    seen = [who for who in PEOPLE if SECRET in text_of(world.clients[who].get(path))]
    assert set(seen) == TAKE_PART
    assert "sol@example.com" in text_of(world.clients["other"].get("/accounts/"))
