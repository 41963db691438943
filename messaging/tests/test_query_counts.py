"""What sockets cost the database: thousands of them come back at once after a restart."""

import asyncio
from typing import Any

import pytest
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.test.utils import CaptureQueriesContext

from messaging.models import Conversation
from messaging.tests.browsing import post_json, url
from messaging.tests.conversing import count_holding
from messaging.tests.sockets import Sockets


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[str]:
    """What was asked on whichever thread."""
    settings.MESSAGING_HEARTBEAT_SECONDS = 60
    seen: list[str] = []
    execute = CursorWrapper.execute

    def note(self: Any, sql: str, params: Any = None) -> Any:
        if not sql.startswith("BEGIN"):  # SQLite's only: elsewhere it is no statement.
            seen.append(sql)
        return execute(self, sql, params)

    monkeypatch.setattr(CursorWrapper, "execute", note)
    return seen


async def settled(statements: list[str]) -> int:
    """How many there were, once no more come."""
    count = -1
    while count != len(statements):
        count = len(statements)
        await asyncio.sleep(0.2)
    statements.clear()
    return count


async def test_what_a_connection_asks(
    sockets: Sockets, conversation: Conversation, buyer: Any, statements: list[str]
) -> None:
    await sockets.session_key(buyer)
    statements.clear()
    room = await sockets.room(buyer, conversation.pk)
    assert await settled(statements) == 7
    await sockets.inbox(buyer)
    assert await settled(statements) == 5
    await room.send(type="typing")
    assert await settled(statements) == 4
    await room.send(type="read", sequence=0)
    assert await settled(statements) == 2  # Nothing new: nothing is held.
    await room.send(type="read", sequence=1)
    assert await settled(statements) == 5 + count_holding()
    await room.send(type="resume", after=0)
    await room.until("ready")
    assert await settled(statements) == 8


def test_what_a_page_asks_to_mark_as_read(
    conversation: Conversation, seller: Any, client_of: Any
) -> None:
    """The session is asked for again in the transaction."""
    sol = client_of(seller)
    with CaptureQueriesContext(connection) as asked:
        assert post_json(sol, url(conversation, "read/"), sequence=1).status_code == 200
    own = [query["sql"] for query in asked if "SAVEPOINT" not in query["sql"]]
    assert len(own) <= 9, own
