"""Somebody is erased while the other side writes: nothing hangs, and no name comes back."""

import threading
from typing import Any

import pytest
from django.db import connection

from messaging.exceptions import Forbidden
from messaging.models import Conversation, Message
from messaging.services.erasure import erase_person
from messaging.tests.conversing import make_conversation, say


@pytest.mark.django_db(transaction=True)
def test_writing_beside_an_erasure(buyer: Any, seller: Any) -> None:
    made = [make_conversation(buyer, seller) for _ in range(8)]
    stop, problems = threading.Event(), []
    sent: list[int] = []

    def write() -> None:
        try:
            while not stop.is_set():
                for conversation in made:
                    try:
                        say(seller, conversation, "Still there?")
                        sent.append(1)
                    except Forbidden:
                        stop.set()
        except Exception as problem:
            problems.append(problem)
        finally:
            connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while len(sent) < len(made):
            assert writer.is_alive(), problems
        counts = erase_person(user=buyer, blank_texts=True)
        writer.join(timeout=20)
    finally:
        stop.set()
    assert problems == []
    assert not writer.is_alive()
    assert counts["places"] == len(made)
    for conversation in Conversation.objects.all():
        place = conversation.participants.get(role="buyer")
        assert (place.user, place.name) == (None, "")
        assert conversation.last_sequence == conversation.messages.count()
    assert Message.objects.count() == len(sent)
