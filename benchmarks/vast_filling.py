"""A marketplace that has grown: `python -m benchmarks.vast_filling` makes it on PostgreSQL and
prints whom and what to look at as JSON.

A million messages in a hundred thousand conversations of one seller, a million places in
conversations, a hundred thousand of them of people who are due a notification, and one long thread.
"""

import json
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from accounts.models import User

BUYERS, LISTINGS = 1000, 100
EACH = 10  # Messages in a conversation.
FEW = 100
LONG, SHORT = 100_000, 100
FILLERS = 400_000  # Conversations nobody looks at, of two places each.

# Every buyer asks about every listing of a seller, at a moment of its own.
CONVERSATIONS = """
INSERT INTO messaging_conversation (id, listing_id, listing_title, buyer_id, seller_id, names,
                                    state, last_sequence, revision, last_message_at, created_at)
SELECT gen_random_uuid(), l.id, l.title, b.id, l.seller_id,
       concat(b.display_name, chr(10), s.display_name, chr(10)), 'open', %(each)s, %(each)s,
       now() - row_number() OVER () * interval '1 second', now() - interval '90 days'
FROM listings_listing l JOIN accounts_user s ON s.id = l.seller_id CROSS JOIN accounts_user b
WHERE l.seller_id = %(seller)s AND b.email LIKE 'buyer-%%' AND b.id < %(below)s
"""
PLACES = """
INSERT INTO messaging_participant (conversation_id, user_id, role, name, joined_at, read_sequence,
    unread_count, waiting_since, archived, starred, muted, last_activity_at, notify_at,
    notified_sequence)
SELECT c.id, CASE r WHEN 'buyer' THEN c.buyer_id ELSE c.seller_id END, r, u.display_name,
       c.created_at,
       CASE WHEN r = 'buyer' THEN c.last_sequence - 1 ELSE c.last_sequence END,
       CASE WHEN r = 'buyer' THEN 1 ELSE 0 END,
       CASE WHEN r = 'seller' AND c.revision %% 2 = 0 THEN c.last_message_at END,
       false, false, false, c.last_message_at,
       CASE WHEN r = 'buyer' AND %(due)s THEN now() - interval '1 minute' END,
       c.last_sequence - 1
FROM messaging_conversation c
CROSS JOIN (VALUES ('buyer'), ('seller')) AS roles(r)
JOIN accounts_user u ON u.id = CASE r WHEN 'buyer' THEN c.buyer_id ELSE c.seller_id END
WHERE c.seller_id = %(seller)s
"""
# One word in a hundred messages is rare, one in each is common.
MESSAGES = """
INSERT INTO messaging_message (conversation_id, sequence, created_revision, revision, sender_id,
                               kind, body, client_message_id, created_at)
SELECT c.id, s, s, s, CASE s %% 2 WHEN 0 THEN seller.id ELSE buyer.id END, 'text',
       'Is the green armchair still there? Number ' || s || CASE WHEN hashtext(c.id::text || s)
       %% 1000 = 0 THEN ', and the rhubarb?' ELSE '' END,
       gen_random_uuid(), c.last_message_at - (c.last_sequence - s) * interval '1 minute'
FROM messaging_conversation c
JOIN messaging_participant buyer ON buyer.conversation_id = c.id AND buyer.role = 'buyer'
JOIN messaging_participant seller ON seller.conversation_id = c.id AND seller.role = 'seller'
CROSS JOIN LATERAL generate_series(1, c.last_sequence) AS s
WHERE c.seller_id = %(seller)s
"""
FILLING_CONVERSATIONS = """
INSERT INTO messaging_conversation (id, listing_title, names, state, last_sequence, revision,
                                    last_message_at, created_at)
SELECT gen_random_uuid(), 'An armchair', repeat('Somebody' || chr(10), 2), 'open', 1, 1,
       now() - n * interval '1 minute', now()
FROM generate_series(1, %(count)s) AS n
"""
FILLING_PLACES = """
INSERT INTO messaging_participant (conversation_id, role, name, joined_at, read_sequence,
    unread_count, archived, starred, muted, last_activity_at, notified_sequence)
SELECT c.id, r, 'Somebody', c.created_at, 1, 0, false, false, false, c.last_message_at, 1
FROM messaging_conversation c CROSS JOIN (VALUES ('buyer'), ('seller')) AS roles(r)
WHERE c.seller_id IS NULL
"""


@dataclass(frozen=True)
class Vast:
    """Sessions of a seller with many and one with few conversations; two threads of a third."""

    many: str
    few: str
    other: str
    many_id: int
    long: str
    short: str


def main() -> None:
    django.setup()
    print(json.dumps(asdict(fill())))


def fill() -> Vast:
    from django.db import connection, transaction

    from benchmarks.filling import open_sessions

    with transaction.atomic():
        buyers = add_people("buyer", BUYERS)
        many, few, other = add_people("seller", 3)
        add_listings(many, LISTINGS)
        add_listings(few, 1)
        add_listings(other, 2)
        with connection.cursor() as cursor:
            add_conversations(cursor, many, buyers[-1].pk + 1, due=True)
            add_conversations(cursor, few, buyers[FEW].pk, due=False)
            long, short = add_threads(cursor, other, buyers[0].pk + 1)
            cursor.execute(FILLING_CONVERSATIONS, {"count": FILLERS})
            cursor.execute(FILLING_PLACES)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    keys = open_sessions([many, few, other])
    return Vast(keys[0], keys[1], keys[2], many.pk, long, short)


def add_people(kind: str, count: int) -> "list[User]":
    from accounts.models import User

    return User.objects.bulk_create(
        User(email=f"{kind}-{number}@example.org", display_name=f"{kind} {number}", password="!")
        for number in range(count)
    )


def add_listings(seller: "User", count: int) -> None:
    from marketplace.listings.models import Listing

    Listing.objects.bulk_create(
        Listing(
            seller=seller,
            title=f"Armchair {n}",
            slug=f"armchair-{seller.pk}-{n}",
            price=Decimal(20),
        )
        for n in range(count)
    )


def add_conversations(cursor: Any, seller: "User", below: int, *, due: bool) -> None:
    values = {"seller": seller.pk, "below": below, "each": EACH, "due": due}
    for statement in (CONVERSATIONS, PLACES, MESSAGES):
        cursor.execute(statement, values)


def add_threads(cursor: Any, seller: "User", below: int) -> tuple[str, str]:
    values = {"seller": seller.pk, "below": below, "each": SHORT, "due": False}
    cursor.execute(CONVERSATIONS, values)
    cursor.execute("SELECT id::text FROM messaging_conversation WHERE seller_id = %s", [seller.pk])
    (long,), (short,) = cursor.fetchall()
    cursor.execute(
        "UPDATE messaging_conversation SET last_sequence = %s, revision = %s WHERE id = %s",
        [LONG, LONG, long],
    )
    for statement in (PLACES, MESSAGES):
        cursor.execute(statement, values)
    return long, short


if __name__ == "__main__":
    main()
