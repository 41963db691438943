"""What staff see and do: to be read, each look at what was said noted, nothing to be rewritten."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from messaging.exceptions import Forbidden
from messaging.identifiers import first_uuid7
from messaging.models import Block, Conversation, ConversationLook, Message
from messaging.services.staff import look_into
from messaging.tests.conversing import say
from messaging.tests.crowd import make_conversations, place_of, record_many

pytestmark = pytest.mark.django_db

LIST = "/admin/messaging/conversation/"
LOOKS = "/admin/messaging/conversationlook/"
SECRET = "Is it still there?"


def page_of(conversation: Conversation, tail: str = "change/") -> str:
    return f"{LIST}{conversation.pk}/{tail}"


def listed(client: Client, **query: Any) -> set[str]:
    answer = client.get(LIST, query)
    assert answer.status_code == 200
    return {str(row.pk) for row in answer.context["cl"].result_list}


@pytest.fixture
def agent(stranger: Any) -> Any:
    """Staff without a permission."""
    get_user_model()._default_manager.filter(pk=stranger.pk).update(is_staff=True)
    return stranger


def grant(person: Any, *codenames: str) -> None:
    person.user_permissions.add(*Permission.objects.filter(codename__in=codenames))


@pytest.fixture
def admin_of(staff: Any, client_of: Callable[[Any], Client]) -> Client:
    return client_of(staff)


# --- The list -------------------------------------------------------------------------------------


def test_it_is_found_by_title_by_person_and_by_id(
    conversation: Conversation, stranger: Any, admin_of: Client
) -> None:
    chairs = make_conversations(stranger, 2)
    lamp, chair = str(conversation.pk), str(chairs[0].pk)
    assert len(listed(admin_of)) == 3
    assert listed(admin_of, q="walnut") == {lamp}
    assert listed(admin_of, q="sideboard") == set()  # By its beginning, which an index serves.
    assert listed(admin_of, q="chair number") == {str(row.pk) for row in chairs}
    assert listed(admin_of, q="Ana") == {lamp}
    assert listed(admin_of, q="ana@example.com") == {lamp}
    assert listed(admin_of, q="Teo") == {str(row.pk) for row in chairs}
    assert listed(admin_of, q=chair) == {chair}
    for nothing in (str(uuid4()), "nobody", SECRET):
        assert listed(admin_of, q=nothing) == set()


def test_it_is_filtered_by_state_and_age(
    conversation: Conversation, stranger: Any, admin_of: Client
) -> None:
    [old] = make_conversations(stranger, 1)
    aged = first_uuid7(timezone.now() - timedelta(days=20))
    Message.objects.filter(conversation=old).delete()
    old.participants.all().delete()
    Conversation.objects.filter(pk=old.pk).update(id=aged, state="closed")
    assert listed(admin_of, opened="7") == {str(conversation.pk)}
    assert listed(admin_of, opened="30") == {str(conversation.pk), str(aged)}
    assert listed(admin_of, state__exact="closed") == {str(aged)}


def test_the_list_counts_no_further_than_it_shows_and_takes_the_same_queries_for_many(
    conversation: Conversation,
    stranger: Any,
    admin_of: Client,
    django_assert_num_queries: Any,
) -> None:
    with CaptureQueriesContext(connection) as few:
        assert len(listed(admin_of)) == 1
    make_conversations(stranger, 6)
    with django_assert_num_queries(len(few)):
        assert len(listed(admin_of)) == 7
    assert len(few) <= 6
    counted = [query["sql"] for query in few if "COUNT(" in query["sql"]]
    counts = [sql for sql in counted if "messaging_conversation" in sql]
    assert counts
    assert all("LIMIT 10000" in sql for sql in counts)


# --- One conversation -----------------------------------------------------------------------------


def test_its_page_has_people_and_no_words(
    conversation: Conversation, admin_of: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(8):
        page = admin_of.get(page_of(conversation)).content.decode()
    assert "Walnut sideboard" in page
    assert "Ana" in page
    assert SECRET not in page
    assert 'name="_save"' not in page
    assert not ConversationLook.objects.exists()


def test_what_was_said_is_shown_once_it_is_noted(
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    staff: Any,
    admin_of: Client,
    django_assert_max_num_queries: Any,
) -> None:
    record_many(seller, conversation, [f"Answer number {number}" for number in range(59)])
    Message.objects.filter(sequence=58).update(edited_at=timezone.now())
    Message.objects.filter(sequence=59).update(deleted_at=timezone.now())

    with django_assert_max_num_queries(9):
        answer = admin_of.get(page_of(conversation, "messages/"))

    page = answer.content.decode()
    assert "Answer number 56" in page
    assert "Answer number 57" not in page  # Deleted.
    assert "Deleted by its author" in page
    assert page.count("Edited ") == 1
    assert SECRET not in page
    assert "no-store" in answer.headers["Cache-Control"]
    older = admin_of.get(page_of(conversation, "messages/?before=11")).content.decode()
    assert SECRET in older
    assert "Older messages" not in older
    looks = ConversationLook.objects.order_by("pk").values_list(
        "user", "name", "conversation", "first_sequence", "last_sequence"
    )
    assert list(looks) == [
        (staff.pk, "Staff", conversation.pk, 11, 60),
        (staff.pk, "Staff", conversation.pk, 1, 10),
    ]


def test_what_cannot_be_noted_is_not_shown(
    conversation: Conversation, staff: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**fields: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(ConversationLook.objects, "create", fail)
    with pytest.raises(DatabaseError):
        look_into(conversation=conversation, user=staff)


def test_markup_in_a_message_is_text(
    conversation: Conversation, buyer: Any, admin_of: Client
) -> None:
    say(buyer, conversation, "<script>alert(1)</script>")
    page = admin_of.get(page_of(conversation, "messages/")).content.decode()
    assert "&lt;script&gt;alert(1)" in page


# --- Who may --------------------------------------------------------------------------------------

PLACES = ["", "change/", "messages/", "participants/", "delete/", "history/"]


@pytest.mark.parametrize("tail", PLACES)
def test_staff_without_permission_see_nothing(
    conversation: Conversation, agent: Any, client_of: Callable[[Any], Client], tail: str
) -> None:
    path = page_of(conversation, tail) if tail else LIST
    answer = client_of(agent).get(path)
    assert answer.status_code == 403
    assert "Walnut" not in answer.content.decode()
    assert not ConversationLook.objects.exists()


@pytest.mark.parametrize("who", ["buyer", "nobody"])
@pytest.mark.parametrize("tail", PLACES)
def test_all_others_are_sent_to_log_in(
    conversation: Conversation, buyer: Any, client_of: Callable[[Any], Client], who: str, tail: str
) -> None:
    client = client_of(buyer) if who == "buyer" else Client()
    answer = client.get(page_of(conversation, tail) if tail else LIST)
    assert (answer.status_code, answer.headers["Location"].startswith("/admin/login/")) == (
        302,
        True,
    )


def test_to_see_conversations_is_not_to_read_them(
    conversation: Conversation, agent: Any, client_of: Callable[[Any], Client]
) -> None:
    grant(agent, "view_conversation")
    client = client_of(agent)
    assert client.get(page_of(conversation)).status_code == 200
    for tail in ("messages/", "participants/"):
        assert client.get(page_of(conversation, tail)).status_code == 403
    person = get_user_model()._default_manager.get(pk=agent.pk)
    with pytest.raises(Forbidden):
        look_into(conversation=conversation, user=person)
    assert not ConversationLook.objects.exists()
    grant(agent, "view_message")
    assert SECRET in client.get(page_of(conversation, "messages/")).content.decode()
    assert client.get(f"{LIST}{uuid4()}/messages/").status_code == 404
    assert client.get(LOOKS).status_code == 403


@pytest.mark.parametrize("model", ["conversation", "conversationlook", "block"])
def test_there_is_nothing_to_add_or_to_change(
    conversation: Conversation, buyer: Any, seller: Any, staff: Any, admin_of: Client, model: str
) -> None:
    look_into(conversation=conversation, user=staff)
    Block.objects.create(blocker=buyer, blocked=seller)
    row: Any = {
        "conversation": conversation,
        "conversationlook": ConversationLook.objects.get(),
        "block": Block.objects.get(),
    }[model]
    base = f"/admin/messaging/{model}/"
    assert admin_of.get(f"{base}add/").status_code == 403
    assert admin_of.get(f"{base}{row.pk}/change/").status_code == 200
    assert admin_of.post(f"{base}{row.pk}/change/", {"name": "x"}).status_code == 403
    if model != "block":
        assert admin_of.post(f"{base}{row.pk}/delete/", {"post": "yes"}).status_code == 403
        delete = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
        admin_of.post(base, delete)
        assert type(row).objects.filter(pk=row.pk).exists()


def test_messages_have_no_page_to_be_changed_on(admin_of: Client) -> None:
    assert admin_of.get("/admin/messaging/message/").status_code == 404


# --- Looks ----------------------------------------------------------------------------------------


def test_looks_are_listed_and_outlive_what_was_looked_at(
    conversation: Conversation, agent: Any, admin_of: Client, django_assert_max_num_queries: Any
) -> None:
    grant(agent, "view_conversation", "view_message")
    person = get_user_model()._default_manager.get(pk=agent.pk)
    look_into(conversation=conversation, user=person)
    key = conversation.pk
    person.delete()
    conversation.delete()
    with django_assert_max_num_queries(5):
        page = admin_of.get(LOOKS).content.decode()
    assert "Teo" in page
    assert str(key) in page
    for text in (str(key), "te"):
        assert str(key) in admin_of.get(LOOKS, {"q": text}).content.decode()
    assert str(key) not in admin_of.get(LOOKS, {"q": str(uuid4())}).content.decode()
    look = ConversationLook.objects.get()
    assert (look.user, look.name) == (None, "Teo")
    assert admin_of.get(f"{LOOKS}{look.pk}/change/").status_code == 200
    with pytest.raises(TypeError):
        look.save()


# --- What can be done -----------------------------------------------------------------------------


def act(client: Client, action: str, *conversations: Conversation) -> Any:
    keys = [str(conversation.pk) for conversation in conversations]
    return client.post(LIST, {"action": action, "_selected_action": keys}, follow=True)


def test_closing_stops_writing_and_opening_allows_it(
    conversation: Conversation, buyer: Any, admin_of: Client
) -> None:
    assert "1 conversation." in act(admin_of, "close", conversation).content.decode()
    with pytest.raises(Forbidden):
        say(buyer, conversation, "Hello?")
    assert "0 conversations." in act(admin_of, "close", conversation).content.decode()
    act(admin_of, "reopen", conversation)
    assert say(buyer, conversation, "Hello?").sequence == 2
    assert LogEntry.objects.count() == 2


@pytest.mark.parametrize("action", ["close", "reopen"])
def test_several_are_changed_in_one_order_however_the_list_is_sorted(
    stranger: Any, admin_of: Client, action: str
) -> None:
    """Each stays locked until the last one is done: two people who each wait for the other's."""
    chairs = sorted(make_conversations(stranger, 3), key=lambda chair: chair.pk)
    state = "open" if action == "close" else "closed"
    for sorting in ("", "?o=1", "?o=-1"):  # The newest first; by title; the other way round.
        Conversation.objects.update(state=state)
        assert changed_by(admin_of, action, sorting, chairs) == [chair.pk.hex for chair in chairs]


def changed_by(
    client: Client, action: str, sorting: str, conversations: list[Conversation]
) -> list[str]:
    """Whose state was written, in that order."""
    keys = [conversation.pk.hex for conversation in conversations]
    form = {"action": action, "_selected_action": keys}
    with CaptureQueriesContext(connection) as queries:
        assert client.post(f"{LIST}{sorting}", form).status_code == 302
    updates = [query["sql"].replace("-", "") for query in queries if "UPDATE" in query["sql"][:6]]
    written = [sql for sql in updates if '"messaging_conversation"' in sql]
    return [next(key for key in keys if key in sql) for sql in written]


def test_to_read_is_not_to_close(
    conversation: Conversation, agent: Any, client_of: Callable[[Any], Client]
) -> None:
    grant(agent, "view_conversation", "view_message")
    act(client_of(agent), "close", conversation)
    conversation.refresh_from_db()
    assert conversation.state == "open"


def test_staff_put_somebody_in_and_take_them_out(
    conversation: Conversation, stranger: Any, seller: Any, admin_of: Client
) -> None:
    path = page_of(conversation, "participants/")
    assert "Sol" in admin_of.get(path).content.decode()
    answer = admin_of.post(path, {"person": "teo@example.com", "role": "seller"}, follow=True)
    assert "Teo was put in." in answer.content.decode()
    place = place_of(stranger, conversation)
    assert (place.role, place.has_left) == ("seller", False)
    answer = admin_of.post(path, {"remove": str(place.pk)}, follow=True)
    assert "Teo was taken out." in answer.content.decode()
    assert place_of(stranger, conversation).removed
    assert LogEntry.objects.count() == 2
    assert admin_of.post(path, {"person": str(stranger.pk), "role": "seller"}).status_code == 302
    assert not place_of(stranger, conversation).has_left


@pytest.mark.parametrize(
    "body",
    [
        {"person": "nobody@example.com", "role": "seller"},
        {"person": "9" * 40, "role": "seller"},
        {"person": "sol@example.com", "role": "buyer"},
        {"person": "teo@example.com", "role": "king"},
        {"person": "", "role": "seller"},
        {"remove": "0"},
        {"remove": "é"},
        {},
    ],
)
def test_what_is_refused_is_said_and_changes_nothing(
    conversation: Conversation, stranger: Any, admin_of: Client, body: dict[str, str]
) -> None:
    answer = admin_of.post(page_of(conversation, "participants/"), body)
    assert answer.status_code == 200
    assert conversation.participants.filter(left_at__isnull=True).count() == 2


def test_a_place_of_another_conversation_is_out_of_reach(
    conversation: Conversation, stranger: Any, admin_of: Client
) -> None:
    [other] = make_conversations(stranger, 1)
    place = place_of(stranger, other)
    admin_of.post(page_of(conversation, "participants/"), {"remove": str(place.pk)})
    assert not place_of(stranger, other).has_left


def test_blocks_are_listed_and_found_by_person(buyer: Any, seller: Any, admin_of: Client) -> None:
    Block.objects.create(blocker=buyer, blocked=seller)
    path = reverse("admin:messaging_block_changelist")
    for text, count in (("", 1), ("Ana", 1), ("Sol", 1), ("Teo", 0)):
        assert len(admin_of.get(path, {"q": text}).context["cl"].result_list) == count
