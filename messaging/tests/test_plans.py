"""Every query of a hot page finds its rows by an index: with millions of rows, too."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from messaging.models import Conversation, Message, Participant
from messaging.selectors import searching
from messaging.tests.browsing import get_json, url
from messaging.tests.conversing import say
from messaging.tests.crowd import make_conversations

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite's planner says less, and has less to plan."
)

# Those that grow with every message.
LARGE = ("messaging_message", "messaging_participant", "messaging_conversation")
LISTS = [
    *("/conversations/", "/conversations/?state=unread", "/conversations/?state=needs_reply"),
    *("/conversations/?state=starred", "/conversations/?role=seller", "/seller/", "/"),
    *("/conversations/?q=chair", "/conversations/?q=zeppelin"),
]
# Has nothing in it but what is asked for by it.
NARROW = "conversation_unnamed"
# Other people's, so many that reading all of them is no way to anything.
OTHERS = [
    """
    INSERT INTO messaging_conversation (id, listing_title, names, state, last_sequence, revision,
                                        last_message_at, created_at)
    SELECT gen_random_uuid(), 'An armchair', repeat('Somebody' || chr(10), 2), 'open', 5, 5,
           now() - n * interval '1 minute', now()
    FROM generate_series(1, 4000) AS n
    """,
    """
    INSERT INTO messaging_participant (conversation_id, role, name, joined_at, read_sequence,
        unread_count, archived, starred, muted, last_activity_at, notified_sequence)
    SELECT c.id, r, 'Somebody', c.created_at, 5, 0, false, false, false, c.last_message_at, 5
    FROM messaging_conversation c CROSS JOIN (VALUES ('buyer'), ('seller')) AS roles(r)
    WHERE c.seller_id IS NULL
    """,
    """
    INSERT INTO messaging_message (conversation_id, sequence, created_revision, revision, sender_id,
                                   kind, body, client_message_id, created_at)
    SELECT p.conversation_id, s, s, s, p.id, 'text', 'Is the armchair there? Number ' || s,
           gen_random_uuid(), now()
    FROM messaging_participant p CROSS JOIN generate_series(1, 5) AS s
    WHERE p.user_id IS NULL AND p.role = 'buyer'
    """,
    f"ANALYZE {', '.join(LARGE)}",
]

TAKE_PART = """
UPDATE messaging_participant SET user_id = %s WHERE user_id IS NULL AND role = 'seller'
"""


@pytest.fixture
def sol(seller: Any, client_of: Any) -> Client:
    client: Client = client_of(seller)
    return client


@pytest.fixture
def own(seller: Any) -> Conversation:
    made = make_conversations(seller, 3)
    say(seller, made[0], "Yes")
    with connection.cursor() as cursor:
        for statement in OTHERS:
            cursor.execute(statement)
    return made[0]


def test_hot_pages(sol: Client, own: Conversation) -> None:
    found = [way for path in LISTS for way in find_long_ways(partial(sol.get, path))]
    for ask in ("", "messages/?after=0", "messages/?before=3"):
        found += find_long_ways(partial(get_json, sol, url(own, ask)))
    assert found == []


@pytest.mark.parametrize(("words", "count"), [("zeppelin", 0), ("buyer2", 1)])
def test_words_that_are_in_few_of_many_conversations(
    words: str,
    count: int,
    sol: Client,
    seller: Any,
    own: Conversation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Places are read in the newest ones, and in those that an index gives."""
    monkeypatch.setattr(searching, "NEWEST_CONVERSATIONS", 5)
    take_part_everywhere(seller)
    with connection.cursor() as cursor:
        cursor.execute("REINDEX INDEX conversation_names")  # Tests before this one are in it.
        cursor.execute("SET LOCAL enable_seqscan = off")  # As if they were larger still.
    ask = partial(get_json, sol, f"/conversations/?q={words}")
    assert len(ask().json()["results"]) == count
    assert count_read(ask) < 100
    assert list(find_long_ways(ask)) == []


def test_of_the_newest_conversations_nothing_else_is_read(own: Conversation, seller: Any) -> None:
    take_part_everywhere(seller)
    newest = list(Participant.objects.filter(user=seller).values_list("pk", flat=True)[:500])
    rows = searching._read(Participant.objects.filter(pk__in=newest), "zeppelin")
    # Each with its conversation and the two places in that.
    assert count_read(lambda: list(rows.order_by("-last_activity_at")[:26])) <= 4 * len(newest)


def take_part_everywhere(seller: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(TAKE_PART, [seller.pk])
        cursor.execute(f"ANALYZE {', '.join(LARGE)}")


def count_read(ask: Callable[[], Any]) -> int:
    """Places and conversations."""
    before = count_read_by_now()
    ask()
    return count_read_by_now() - before


def count_read_by_now() -> int:
    """In this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables"
            " WHERE relname IN ('messaging_participant', 'messaging_conversation')"
        )
        return int(cursor.fetchone()[0])


def test_the_judge_finds_what_has_no_index(own: Conversation) -> None:
    """What nobody asks for: messages by the moment of their deletion."""
    ways = find_long_ways(lambda: list(Message.objects.filter(deleted_at__isnull=False)))
    assert len(list(ways)) == 1


def find_long_ways(ask: Callable[[], Any]) -> Iterator[str]:
    """The queries that look through a large table, with the part of the plan that does."""
    with CaptureQueriesContext(connection) as queries:
        ask()
    asked = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    assert asked
    for statement in asked:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
            found = cursor.fetchone()[0]
        (plan,) = json.loads(found) if isinstance(found, str) else found
        for node in find_unaimed_scans(plan["Plan"]):
            yield f"{node} in {statement}"


def find_unaimed_scans(plan: dict[str, Any]) -> Iterator[str]:
    """Of a large table, and not by a condition on an index."""
    of = plan.get("Relation Name") or plan.get("Index Name", "")
    is_scan = of in LARGE or plan["Node Type"] == "Bitmap Index Scan"
    is_aimed = "Index Cond" in plan or plan["Node Type"] == "Bitmap Heap Scan" or of == NARROW
    if is_scan and not is_aimed:
        yield f"{plan['Node Type']} of {of}"
    for part in plan.get("Plans", ()):
        yield from find_unaimed_scans(part)
