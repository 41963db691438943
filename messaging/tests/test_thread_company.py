"""A thread's page when more than two people take part: everybody is named, and only the other side
reads."""

import re
from typing import Any

import pytest
from django.test import Client

from messaging.models import Conversation
from messaging.services.participants import add_participant, leave_conversation, remove_participant
from messaging.services.reading import mark_read
from messaging.tests.browsing import url
from messaging.tests.conversing import say
from tests.cast import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def colleague(conversation: Conversation, staff: Any) -> Any:
    """Somebody who helps the seller."""
    person = make_person("Colin")
    add_participant(
        conversation_id=conversation.pk, user_id=person.pk, role="seller", added_by=staff
    )
    return person


def thread_of(client: Client, conversation: Conversation) -> str:
    return client.get(url(conversation)).content.decode().partition('<template id="message')[0]


def authors(page: str) -> list[str]:
    """The names that are seen, from top to bottom."""
    return re.findall(r'class="message__author" dir="auto">([^<]*)<', page)


def company(page: str) -> str:
    within = page.partition('id="company" data-live>')[2].partition("</span>")[0]
    return re.sub(r"<[^>]+>", "", within)


def statuses(page: str) -> list[str]:
    return re.findall(r'class="message__status">([^<]+)<', page)


def test_between_two_the_side_says_who_writes(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any
) -> None:
    say(seller, conversation, "Yes")
    for reader in (buyer, seller):
        page = thread_of(client_of(reader), conversation)
        assert (authors(page), company(page)) == ([], "")


def test_of_several_each_is_named_once_for_each_group(
    conversation: Conversation, buyer: Any, seller: Any, colleague: Any, client_of: Any
) -> None:
    for person, text in ((seller, "Yes"), (colleague, "I"), (colleague, "help"), (seller, "So")):
        say(person, conversation, text)
    helper = "Colin (for the seller)"
    page = thread_of(client_of(buyer), conversation)
    assert authors(page) == [seller.display_name, helper, seller.display_name]
    assert company(page) == f"also with {helper}"
    page = thread_of(client_of(seller), conversation)
    assert (authors(page), company(page)) == ([buyer.display_name, helper], f"also with {helper}")
    page = thread_of(client_of(colleague), conversation)
    names = [buyer.display_name, seller.display_name, seller.display_name]
    assert (authors(page), company(page)) == (names, f"also with {seller.display_name}")


def test_who_has_gone_stays_named_on_what_they_wrote(
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    colleague: Any,
    staff: Any,
    client_of: Any,
) -> None:
    say(seller, conversation, "Yes")
    say(colleague, conversation, "I help")
    remove_participant(conversation_id=conversation.pk, user_id=colleague.pk, removed_by=staff)
    page = thread_of(client_of(buyer), conversation)
    assert (authors(page), company(page)) == (["Colin (for the seller)"], "")


def test_who_is_left_alone_for_a_side_is_the_one_it_is_with(
    conversation: Conversation, buyer: Any, seller: Any, colleague: Any, client_of: Any
) -> None:
    say(seller, conversation, "Yes")
    leave_conversation(user_id=seller.pk, conversation_id=conversation.pk)
    page = thread_of(client_of(buyer), conversation)
    assert "with <b><bdi>Colin (for the seller)</bdi></b>" in page
    assert (authors(page), company(page)) == ([seller.display_name], "")
    assert f'data-participants="{buyer.pk} {colleague.pk}"' in page


def test_only_the_other_side_reads(
    conversation: Conversation, buyer: Any, seller: Any, colleague: Any, client_of: Any
) -> None:
    say(seller, conversation, "Yes")
    mark_read(user_id=colleague.pk, conversation_id=conversation.pk, sequence=2)
    page = thread_of(client_of(seller), conversation)
    assert (statuses(page), 'data-read-by-others="0"' in page) == (["Sent"], True)
    mark_read(user_id=buyer.pk, conversation_id=conversation.pk, sequence=2)
    page = thread_of(client_of(seller), conversation)
    assert (statuses(page), 'data-read-by-others="2"' in page) == (["Read"], True)
