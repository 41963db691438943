"""Staff who put themselves or each other in read what was said: like a look, and noted like one."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import DatabaseError

from messaging.exceptions import Forbidden
from messaging.models import Conversation, ConversationLook
from messaging.tests.browsing import get_json, post_json, url
from messaging.tests.conversing import say
from messaging.tests.crowd import place_of
from messaging.tests.test_participants import add, leave, remove

pytestmark = pytest.mark.django_db

WORDS = "Is it still there?"


@pytest.fixture
def agent(stranger: Any) -> Any:
    """Staff who may change who takes part, and not read what was said."""
    people = get_user_model()._default_manager
    people.filter(pk=stranger.pk).update(is_staff=True)
    allow(stranger, "view_conversation", "change_participant")
    return people.get(pk=stranger.pk)


def allow(person: Any, *codenames: str) -> Any:
    person.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return get_user_model()._default_manager.get(pk=person.pk)


def admin_page(conversation: Conversation) -> str:
    return f"/admin/messaging/conversation/{conversation.pk}/participants/"


def looks() -> list[tuple[str, int, int]]:
    rows = ConversationLook.objects.order_by("pk")
    return [(row.name, row.first_sequence, row.last_sequence) for row in rows]


def test_who_may_not_read_does_not_put_themselves_in_either(
    conversation: Conversation, agent: Any, client_of: Any
) -> None:
    teo = client_of(agent)
    answer = teo.post(admin_page(conversation), {"person": str(agent.pk), "role": "seller"})
    assert answer.status_code == 200
    assert get_json(teo, url(conversation)).status_code == 404
    assert conversation.participants.count() == 2
    assert (looks(), LogEntry.objects.count()) == ([], 0)


def test_nor_others_of_the_staff(
    conversation: Conversation, agent: Any, staff: Any, buyer: Any
) -> None:
    with pytest.raises(Forbidden):
        add(staff, conversation, by=agent)
    assert conversation.participants.count() == 2
    # Whoever is not of the staff is put in as ever: a seller's colleague, say.
    remove(buyer, conversation, by=agent)
    add(buyer, conversation, by=agent, role="buyer")
    assert looks() == []


def test_who_may_read_leaves_traces_all_the_way(
    conversation: Conversation, buyer: Any, agent: Any, client_of: Any
) -> None:
    agent, teo = allow(agent, "view_message"), client_of(agent)
    say(buyer, conversation, "And how heavy?")
    teo.post(admin_page(conversation), {"person": str(agent.pk), "role": "seller"})
    assert looks() == [("Teo", 1, 2)]
    assert WORDS in teo.get(url(conversation)).content.decode()
    say(buyer, conversation, "Hello?")
    assert post_json(teo, url(conversation, "leave/")).status_code == 200
    assert looks() == [("Teo", 1, 2), ("Teo", 3, 3)]
    page = teo.get(admin_page(conversation)).content.decode()
    assert "Teo" in page
    assert "Has left" in page
    (entry,) = LogEntry.objects.all()
    assert (entry.user_id, f"#{place_of(agent, conversation).pk}" in entry.change_message) == (
        agent.pk,
        True,
    )


def test_of_a_colleague_it_is_noted_who_can_read_now(
    conversation: Conversation, buyer: Any, staff: Any, agent: Any
) -> None:
    add(agent, conversation, by=staff)
    assert looks() == [("Teo", 1, 1)]
    add(agent, conversation, by=staff)  # Twice is once.
    leave(agent, conversation)  # Nothing was said meanwhile.
    assert looks() == [("Teo", 1, 1)]
    say(buyer, conversation, "Hello?")
    add(agent, conversation, by=staff)
    assert looks() == [("Teo", 1, 1), ("Teo", 1, 2)]


def test_staff_in_conversations_of_their_own_are_like_everybody(
    conversation: Conversation, buyer: Any, seller: Any
) -> None:
    get_user_model()._default_manager.filter(pk=seller.pk).update(is_staff=True)
    leave(seller, conversation)
    assert looks() == []


def test_what_cannot_be_noted_is_not_done(
    conversation: Conversation, staff: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**fields: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(ConversationLook.objects, "create", fail)
    with pytest.raises(Exception, match="unavailable"):
        add(staff, conversation, by=staff)
    assert conversation.participants.count() == 2


def test_an_account_that_is_gone_has_a_name_on_the_page(
    conversation: Conversation, seller: Any, staff: Any, client_of: Any
) -> None:
    conversation.participants.filter(user=seller).update(user=None, name="")
    page = client_of(staff).get(admin_page(conversation)).content.decode()
    assert "<td>Former member</td>" in page
    assert place_of(conversation.buyer, conversation).name in page
