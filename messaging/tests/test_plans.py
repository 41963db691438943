"""Every query of a hot page finds its rows by an index: with millions of rows, too."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from messaging.models import Conversation
from messaging.selectors import searching
from messaging.tests.browsing import get_json, url
from messaging.tests.conversing import say
from messaging.tests.crowd import make_conversations

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite's planner says less, and has less to plan."
)

# Those that grow with every message.
LARGE = {"messaging_message", "messaging_participant", "messaging_conversation"}
PAGES = [
    *("/conversations/", "/conversations/?state=unread", "/conversations/?state=needs_reply"),
    *("/conversations/?state=starred", "/conversations/?role=seller", "/seller/"),
    *("/conversations/?q=chair", "/conversations/?q=zeppelin", "/"),
]


@pytest.fixture
def sol(seller: Any, client_of: Any) -> Client:
    client: Client = client_of(seller)
    return client


@pytest.fixture
def conversations(seller: Any) -> list[Conversation]:
    made = make_conversations(seller, 3)
    say(seller, made[0], "Yes")
    return made


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("newest", [0, 500])
def test_lists(
    page: str, newest: int, sol: Client, conversations: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "NEWEST_CONVERSATIONS", newest)
    assert list(find_long_ways(lambda: sol.get(page))) == []


@pytest.mark.parametrize("ask", ["", "messages/?after=0", "messages/?before=3"])
def test_a_thread(ask: str, sol: Client, conversations: list[Conversation]) -> None:
    assert list(find_long_ways(lambda: get_json(sol, url(conversations[0], ask)))) == []


def test_the_judge_finds_what_has_no_index(conversations: list[Conversation]) -> None:
    """What nobody asks for: messages by the moment of their deletion."""
    from messaging.models import Message

    ways = find_long_ways(lambda: list(Message.objects.filter(deleted_at__isnull=False)))
    assert len(list(ways)) == 1


def find_long_ways(ask: Any) -> Iterator[str]:
    """The queries that look through a large table, with the part of the plan that does."""
    with CaptureQueriesContext(connection) as queries:
        ask()
    asked = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    assert asked
    with connection.cursor() as cursor:
        # Tables are small here, and reading all of one is the quickest way to anything in it.
        for way in ("seqscan", "hashjoin", "mergejoin"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        for statement in asked:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
            found = cursor.fetchone()[0]
            (plan,) = json.loads(found) if isinstance(found, str) else found
            for node in find_unaimed_scans(plan["Plan"]):
                yield f"{node} in {statement}"


def find_unaimed_scans(plan: dict[str, Any]) -> Iterator[str]:
    """Of a large table, and not by a condition on an index."""
    of = plan.get("Relation Name") or plan.get("Index Name", "")
    is_scan = of in LARGE or plan["Node Type"] == "Bitmap Index Scan"
    is_aimed = "Index Cond" in plan or plan["Node Type"] == "Bitmap Heap Scan"
    if is_scan and not is_aimed:
        yield f"{plan['Node Type']} of {of}"
    for part in plan.get("Plans", ()):
        yield from find_unaimed_scans(part)
