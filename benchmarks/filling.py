"""Fills a marketplace for measurements, in a process of its own settings.

`python -m benchmarks.filling prepare` migrates and collects the static files;
`… fill CONVERSATIONS MESSAGES` makes so many conversations of two people each, with so many
messages stored in each, and prints them with a session of everybody as JSON.
"""

import json
import sys
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from accounts.models import User
    from messaging.models import Conversation, Participant

AT_ONCE = 2000
WORDS = (
    "Is the green armchair still there, and could somebody bring it down the stairs on Saturday?"
)


def main(arguments: Sequence[str]) -> None:
    django.setup()
    if arguments[0] == "prepare":
        prepare()
    else:
        print(json.dumps(fill(int(arguments[1]), int(arguments[2]))))


def prepare() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)


def fill(conversations: int, messages: int) -> list[dict[str, Any]]:
    from django.db import transaction

    with transaction.atomic():
        people = add_people(2 * conversations)
        made = add_conversations(people, messages)
        participants = add_participants(made, messages)
        add_messages(participants, messages)
        keys = open_sessions(people)
    return [
        {"conversation": str(row.pk), "sessions": keys[2 * number : 2 * number + 2]}
        for number, row in enumerate(made)
    ]


def add_people(count: int) -> "list[User]":
    from accounts.models import User

    people = [
        User(email=f"person-{number}@example.org", display_name=f"Person {number}", password="!")
        for number in range(count)
    ]
    return User.objects.bulk_create(people, batch_size=AT_ONCE)


def add_conversations(people: "Sequence[User]", messages: int) -> "list[Conversation]":
    """The people in pairs: buyer, seller, buyer, seller …"""
    from marketplace.listings.models import Listing
    from messaging.models import Conversation
    from messaging.services.names import as_lines

    pairs = list(zip(people[::2], people[1::2], strict=True))
    listings = [
        Listing(seller=seller, title=f"Armchair {n}", slug=f"armchair-{n}", price=Decimal(20))
        for n, (_, seller) in enumerate(pairs)
    ]
    Listing.objects.bulk_create(listings, batch_size=AT_ONCE)
    conversations = [
        Conversation(
            listing=listing,
            listing_title=listing.title,
            buyer=buyer,
            seller=seller,
            names=as_lines((buyer.display_name, seller.display_name)),
            last_sequence=messages,
            revision=messages,
        )
        for listing, (buyer, seller) in zip(listings, pairs, strict=True)
    ]
    return Conversation.objects.bulk_create(conversations, batch_size=AT_ONCE)


def add_participants(conversations: "Sequence[Conversation]", messages: int) -> "list[Participant]":
    from messaging.models import Participant, Role

    rows = [
        Participant(
            conversation=conversation,
            user=person,
            role=role,
            name=person.display_name,
            read_sequence=messages,
        )
        for conversation in conversations
        for person, role in (
            (conversation.buyer, Role.BUYER),
            (conversation.seller, Role.SELLER),
        )
        if person is not None
    ]
    return Participant.objects.bulk_create(rows, batch_size=AT_ONCE)


def add_messages(participants: "Sequence[Participant]", count: int) -> None:
    """One after the other by the two of them, a minute apart, the last one now."""
    from django.utils import timezone

    from messaging.identifiers import uuid7
    from messaging.models import Message

    now = timezone.now()
    rows = (
        Message(
            conversation_id=participants[2 * conversation].conversation_id,
            sequence=sequence,
            created_revision=sequence,
            revision=sequence,
            sender=participants[2 * conversation + sequence % 2],
            body=WORDS,
            client_message_id=uuid7(),
            created_at=now - timedelta(minutes=count - sequence),
        )
        for conversation in range(len(participants) // 2)
        for sequence in range(1, count + 1)
    )
    Message.objects.bulk_create(rows, batch_size=AT_ONCE)


def open_sessions(people: "Sequence[User]") -> list[str]:
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.models import Session
    from django.utils import timezone
    from django.utils.crypto import get_random_string

    from marketplace.sessions import SessionStore

    store, until = SessionStore(), timezone.now() + timedelta(days=14)
    rows = []
    for person in people:
        content = {
            SESSION_KEY: str(person.pk),
            BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
            HASH_SESSION_KEY: person.get_session_auth_hash(),
        }
        key = get_random_string(32, "abcdefghijklmnopqrstuvwxyz0123456789")
        row = Session(session_key=key, session_data=store.encode(content), expire_date=until)
        rows.append(row)
    Session.objects.bulk_create(rows, batch_size=AT_ONCE)
    return [row.session_key for row in rows]


if __name__ == "__main__":
    main(sys.argv[1:])
