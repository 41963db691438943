"""No write of a session succeeds after the commit that ended it.

Each way to write is stopped at its first statement that changes something, while another thread
ends the session: either it is not through before the write has committed, or the write is refused.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import connection, connections, transaction
from django.test import Client

from accounts.deactivation import deactivate_person
from accounts.models import User
from accounts.sessions import end_sessions
from marketplace.listings.models import Photo
from messaging.models import Block, Conversation, Message, Participant
from messaging.runtime import in_database
from messaging.tests.browsing import post_json, url
from messaging.tests.sockets import Socket, Sockets
from tests.cast import PASSWORD, make_listing
from tests.security.bodies import BODIES, LISTING
from tests.security.routes import fill_in
from tests.security.table_of_pages import ROWS
from tests.security.world import PEOPLE, WRITE

SIGNED_IN = set(PEOPLE) - {"anonymous", "deactivated"}
WAIT_SECONDS = 0.15  # for what must not come; it comes within a few milliseconds if it may

# Threads that write in one session, and how many turns they still get until it has ended. The
# server itself would give up waiting for its turn after 5 s.
FLOODING = 8
MOST_TURNS = 6 * FLOODING


def log_out(user: User) -> None:
    Session.objects.all().delete()


def set_password(user: User) -> None:
    person = User.objects.get(pk=user.pk)
    person.set_password("another long password")
    person.save()


def deactivate(user: User) -> None:
    deactivate_person(user=User.objects.get(pk=user.pk))


def revoke(user: User) -> None:
    end_sessions(user=user)
    log_out(user)


ENDS = {
    "log-out": log_out,
    "new password": set_password,
    "deactivation": deactivate,
    "revoked by staff": revoke,
}
# What an end changes by itself, of whatever is compared before and after.
OWN_COLUMNS = {"new password": "password", "deactivation": "is_active"}
OF_SESSIONS = ("django_session", "usersessions_", "django_admin_log")
# Each route that writes for somebody signed in, as the table of pages marks it; and what the table
# does not tell apart, or counts as the trace of a visit: the route, its body, its end.
MARKED = [
    row.route for row in ROWS if any("*" in row.cells[who] for who in SIGNED_IN & set(row.cells))
]
OTHERS: dict[str, tuple[str, dict[str, object]]] = {
    "unblock": ("people/<str:user_id>/block/", {"on": 0}),
    "unstar": ("conversation/<str:conversation_id>/star/", {"on": 0}),
    "take a photo away": ("sell/<slug:slug>/", LISTING | {"remove": [1]}),
    "choose no language": ("accounts/profile/", {"display_name": "Ana", "time_zone": "Asia/Tokyo"}),
    "name a passkey": ("accounts/2fa/webauthn/keys/<int:pk>/edit/", {"name": "Green key"}),
}
WRITES = {route: (route, BODIES.get(route, {})) for route in MARKED} | OTHERS
# Which close the account or move the session themselves: there the end has to be another's.
ENDING = ("accounts/deactivate/", "accounts/password/change/", "accounts/privacy/erase/")
SHORT_ENDS = ("log-out", "new password", "deactivation")
CASES = [("conversation/<str:conversation_id>/new_message/", end) for end in ENDS]
CASES += [("accounts/profile/", end) for end in ENDS]
CASES += [
    (write, "revoked by staff" if write in ENDING else SHORT_ENDS[number % 3])
    for number, write in enumerate(WRITES)
    if (write, "revoked by staff") not in CASES
]


def read_everything(end: str) -> dict[str, list[Any]]:
    """Every row there is, but for sessions and for what the end changes by itself."""
    found = {}
    for model in apps.get_models(include_auto_created=True):
        if model._meta.db_table.startswith(OF_SESSIONS) or not model._meta.managed:
            continue
        columns = [field.attname for field in model._meta.concrete_fields]
        if model is User and end in OWN_COLUMNS:
            columns.remove(OWN_COLUMNS[end])
        found[model._meta.label] = list(model._default_manager.order_by("pk").values_list(*columns))
    return found


@contextmanager
def ending_meanwhile(
    end: Callable[[User], None], user: User, *, table: str = ""
) -> Iterator[list[bool]]:
    """At the first write (to the table) the session is ended beside it. Gives whether that was
    through first."""
    ended = threading.Event()
    first: list[bool] = []

    def end_it() -> None:
        end(user)
        ended.set()
        connections.close_all()

    thread = threading.Thread(target=end_it)

    def stop(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        found = WRITE.search(sql)
        is_it = found and found[1] == (table or found[1]) and not found[1].startswith(OF_SESSIONS)
        if is_it and not first:
            thread.start()
            first.append(ended.wait(WAIT_SECONDS))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(stop):
        yield first
    if first:
        thread.join(20)
        assert ended.is_set()


def sign_in(user: User) -> Client:
    """With the password typed just now, for what asks for it."""
    client = Client()
    client.force_login(user)
    answer = client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert answer.status_code == 302
    return client


def fill_world(conversation: Conversation, buyer: User, seller: User) -> dict[str, object]:
    """What stands in the paths; all of it is there to be changed."""
    own = make_listing(buyer, "Brass lamp")
    Photo.objects.create(
        pk=1, listing=own, position=0, width=1, height=1, small_width=1, small_height=1
    )
    passkey = Authenticator.objects.create(user=buyer, type="webauthn", data={"name": "Blue key"})
    return {
        "conversation_id": conversation.pk, "sequence": 1, "user_id": seller.pk, "slug": own.slug,
        "listing": make_listing(seller, "Oak table").slug, "pk": passkey.pk,
    }  # fmt: skip


def lead_the_other_way(write: str, conversation: Conversation, buyer: User, seller: User) -> None:
    if write == "unblock":
        Block.objects.create(blocker=buyer, blocked=seller)
    if write == "unstar":
        Participant.objects.filter(user=buyer).update(starred=True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("write", "end"), CASES)
def test_a_write_is_before_the_end_or_not_at_all(
    write: str, end: str, conversation: Conversation, buyer: User, seller: User
) -> None:
    route, body = WRITES[write]
    path = fill_in(route, fill_world(conversation, buyer, seller))
    lead_the_other_way(write, conversation, buyer, seller)
    ana = sign_in(buyer)
    before = read_everything(end)
    with ending_meanwhile(ENDS[end], buyer) as ended_first:
        answer = ana.post(path, body)
    assert ended_first, f"nothing was written: {answer.status_code} {answer.headers}"
    led_to = answer.headers.get("Location", "")
    # A first message is kept in its box, with what was wrong beside it. Elsewhere 400 says that the
    # session ended after the write, before the answer.
    kept = route.startswith("listings/") and answer.status_code == 400
    refused = led_to.startswith("/accounts/login/") or kept
    assert refused or answer.status_code in (302, 303, 400), answer.status_code
    assert ended_first == [refused]
    assert (read_everything(end) == before) is refused
    again = post_json(ana, url(conversation, "new_message/"), message="Later")
    assert again.status_code == 401


def test_each_route_that_writes_is_among_them() -> None:
    assert len(MARKED) > 20
    assert {write for write, _ in CASES} == set(WRITES)
    assert {end for _, end in CASES} == set(ENDS)


# --- Many writers ---------------------------------------------------------------------------------


async def write_on(socket: Socket, room: Conversation, sent: list[int]) -> int:
    """Over a socket until it is closed. Its close code."""
    while True:
        frame = {"type": "chat_message", "message": "Again", "client_message_id": str(uuid4())}
        await socket.send(**frame, conversation=str(room.pk))
        output = await socket.communicator.receive_output(timeout=10)
        if output["type"] == "websocket.close":
            return int(output["code"])
        sent.append(1)


def post_on(
    client: Client, room: Conversation, sent: list[int], given_up: threading.Event
) -> int | None:
    """Over HTTP until it is refused. The status."""
    try:
        while not given_up.is_set():
            answer = post_json(client, url(room, "new_message/"), message="Again")
            if answer.status_code != 201:
                return int(answer.status_code)
            sent.append(1)
        return None
    finally:
        connections.close_all()


@contextmanager
def giving_up() -> Iterator[threading.Event]:
    """Set when the test is over, well or not: a thread that went on would hold up its end."""
    event = threading.Event()
    try:
        yield event
    finally:
        event.set()


def end_and_count(end: Callable[[User], None], user: User) -> int:
    """How many messages there are the moment it ends: whoever writes then is waited for."""
    with transaction.atomic():
        end(user)
        return Message.objects.filter(sender__user=user).count()


@pytest.mark.parametrize("end", ENDS)
async def test_nothing_of_many_writers_comes_after_the_end(
    end: str, sockets: Sockets, conversation: Conversation, buyer: Any, settings: Any
) -> None:
    settings.MESSAGING_SEND_LIMITS = ""
    ana = await in_database(sockets.client, buyer)
    sent: list[int] = []
    writers = [
        asyncio.create_task(write_on(await sockets.inbox(buyer), conversation, sent))
        for _ in range(3)
    ]
    with giving_up() as event:
        posting = [asyncio.to_thread(post_on, ana, conversation, sent, event) for _ in range(2)]
        posters = [asyncio.create_task(coroutine) for coroutine in posting]
        async with asyncio.timeout(30):
            while len(sent) < 20:
                await asyncio.sleep(0.01)
            count = await in_database(end_and_count, ENDS[end], buyer)
            codes = set(await asyncio.gather(*writers))
            statuses = set(await asyncio.gather(*posters))
    assert codes == {4501}
    assert statuses == {401}
    assert await Message.objects.filter(sender__user=buyer).acount() == count > 5


# --- Somebody who will not let go -----------------------------------------------------------------


def read_on(
    client: Client, room: Conversation, answered: list[int], given_up: threading.Event
) -> None:
    """Writes of one session that overlap, one after the other in each thread, until it has ended.
    What none of them waits for could be kept from ever getting its turn."""
    try:
        path = url(room, "star/")
        # One that changes nothing would hold nothing.
        while not given_up.is_set():
            status = post_json(client, path, on=len(answered) % 2).status_code
            if status == 401:
                break
            answered.append(status)
    finally:
        connections.close_all()


def log_out_by_page(client: Client, user: User) -> None:
    assert client.post("/accounts/logout/").status_code == 302


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "end", [log_out_by_page, lambda client, user: deactivate(user)], ids=["log-out", "deactivation"]
)
def test_a_flood_in_a_session_does_not_keep_it_alive(
    end: Callable[[Client, User], None], conversation: Conversation, buyer: Any, settings: Any
) -> None:
    settings.MESSAGING_SEND_LIMITS = []
    ana = Client()
    ana.force_login(buyer)
    answered: list[int] = []
    stolen = [Client() for _ in range(FLOODING)]
    for client in stolen:
        client.cookies["sessionid"] = ana.cookies["sessionid"].value
    with giving_up() as event:
        threads = [
            threading.Thread(target=read_on, args=(client, conversation, answered, event))
            for client in stolen
        ]
        for thread in threads:
            thread.start()
        while len(answered) < 3 * FLOODING:
            assert any(thread.is_alive() for thread in threads)
            threading.Event().wait(0.01)
        before = len(answered)
        end(ana, buyer)
        turns = len(answered) - before
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
    # Nobody queues for SQLite's one writer: all look now and then whether it is their turn, and an
    # end that has not had any within its time would have failed above.
    assert connection.vendor != "postgresql" or turns < MOST_TURNS
    assert set(answered) == {200}
