"""Nothing that staff do in the admin is stored after the commit that ended their session, or that
took their power."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from accounts.models import User
from marketplace.listings.models import Listing
from messaging.models import Conversation
from tests.cast import make_listing, make_person
from tests.security.bodies import NEW_PASSWORD
from tests.security.test_access_admin import paths_of
from tests.security.test_lost_changes import demote
from tests.security.test_writes_after_the_end import ENDS as SESSION_ENDS
from tests.security.test_writes_after_the_end import ending_meanwhile, read_everything, sign_in
from tests.security.world import make_world, undone, watch_writes

End = Callable[[User], None]
ENDS: dict[str, End] = {**SESSION_ENDS, "demotion": demote}
PEOPLE = "/admin/accounts/user/"
CONVERSATIONS = "/admin/messaging/conversation/"


# --- Ended before the page begins -----------------------------------------------------------------


@contextmanager
def ending_once_known(end: End, user: User) -> Iterator[list[bool]]:
    """The moment the request has been told who asks. What the end writes is not the request's."""
    ended: list[bool] = []

    def look(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        found = execute(sql, params, many, context)
        if 'FROM "accounts_user"' in sql and not ended:
            ended.append(True)
            end(user)
        return found

    with connection.execute_wrapper(look):
        yield ended


def lose_session(user: User) -> None:
    """As nothing that ends sessions does: without a word to anybody."""
    rows = Session.objects.all()
    rows._raw_delete(rows.db)


@pytest.mark.django_db
def test_no_page_of_the_admin_takes_anything_after_the_end() -> None:
    world = make_world()
    boss, client = world.people["staff"], world.clients["staff"]
    paths = [path for path in paths_of(world).values() if path != "/admin/login/"]
    assert len(paths) > 60
    for path in paths:
        with (
            undone(client),
            ending_once_known(lose_session, boss) as ended,
            watch_writes() as written,
        ):
            answer = client.post(path)
        assert ended, path
        assert not written - {"django_session"}, path
        assert answer.status_code == 302, path
        assert answer.headers["Location"].startswith("/accounts/login/"), path
    with undone(client):  # Negative control: it is the end that leads there.
        assert client.post(f"{PEOPLE}add/").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("end", ENDS)
def test_who_has_lost_it_since_the_page_was_asked_for_adds_nothing(end: str) -> None:
    boss = make_person("Boss", is_staff=True, is_superuser=True)
    client = sign_in(boss)
    with ending_once_known(ENDS[end], boss) as ended:
        answer = client.post("/admin/auth/group/add/", {"name": "Thieves"})
    assert ended
    assert answer.status_code == 302
    assert "/login/" in answer.headers["Location"]
    assert not LogEntry.objects.exists()


# --- Ended while it writes ------------------------------------------------------------------------

Door = Callable[[Client, User, Conversation], Any]


def rename(client: Client, ana: User, conversation: Conversation) -> Any:
    dates = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    fields = {"display_name": "Another", "locale": "", "time_zone": "", "is_active": "on"}
    return client.post(f"{PEOPLE}{ana.pk}/change/", fields | dates)


def set_password(client: Client, ana: User, conversation: Conversation) -> Any:
    fields = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    return client.post(f"{PEOPLE}{ana.pk}/password/", fields)


def replace_address(client: Client, ana: User, conversation: Conversation) -> Any:
    return client.post(f"{PEOPLE}{ana.pk}/address/", {"email": "thief@example.org"})


def deactivate(client: Client, ana: User, conversation: Conversation) -> Any:
    return client.post(PEOPLE, {"action": "deactivate", "_selected_action": [ana.pk]})


def delete_listing(client: Client, ana: User, conversation: Conversation) -> Any:
    lamp = Listing.objects.get(title="Brass lamp")
    return client.post(f"/admin/listings/listing/{lamp.pk}/delete/", {"post": "yes"})


def add_group(client: Client, ana: User, conversation: Conversation) -> Any:
    return client.post("/admin/auth/group/add/", {"name": "Thieves"})


def close(client: Client, ana: User, conversation: Conversation) -> Any:
    return client.post(CONVERSATIONS, {"action": "close", "_selected_action": [conversation.pk]})


def put_in(client: Client, ana: User, conversation: Conversation) -> Any:
    fields = {"person": User.objects.get(email="boss@example.com").pk, "role": "buyer"}
    return client.post(f"{CONVERSATIONS}{conversation.pk}/participants/", fields)


DOORS: list[Door] = [
    rename, set_password, replace_address, deactivate, delete_listing, add_group, close, put_in,
]  # fmt: skip
CASES = [(door, list(ENDS)[number % len(ENDS)]) for number, door in enumerate(DOORS)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("door", "end"), CASES, ids=[f"{door.__name__}-{end}" for door, end in CASES]
)
def test_what_staff_save_is_before_the_end_or_not_at_all(
    door: Door, end: str, conversation: Conversation, buyer: User
) -> None:
    boss = make_person("Boss", is_staff=True, is_superuser=True)
    client = sign_in(boss)
    make_listing(buyer, "Brass lamp")
    before = read_everything("")
    with ending_meanwhile(ENDS[end], boss) as ended_first:
        answer = door(client, buyer, conversation)
    assert ended_first == [False], "it ended before what was stored was committed"
    assert answer.status_code in (302, 400), answer.status_code  # 400: ended before the answer.
    assert LogEntry.objects.count() == 1
    assert read_everything("") != before
    again = client.post("/admin/auth/group/add/", {"name": "Later"})
    assert "/login/" in again.headers["Location"]
    assert LogEntry.objects.count() == 1
