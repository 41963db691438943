"""The last mails of a campaign: what is late stays late, unless there is a reason to help it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from psycopg.conninfo import make_conninfo

from messaging.models import Conversation
from notifications.models import Delivery, Notification
from tests.faults.servers import quiet
from tests.faults.servers.quiet import (
    PutOff,
    bring_forward,
    count_owed,
    read_put_off,
    see_last_mails_off,
)


@pytest.fixture
def url(transactional_db: None) -> str:
    if connection.vendor != "postgresql":
        pytest.skip("A campaign runs on PostgreSQL.")
    told, names = connection.settings_dict, ("user", "password", "host", "port")
    return make_conninfo(dbname=told["NAME"], **{name: told[name.upper()] for name in names})


def owe(recipient: Any, number: int, **fields: Any) -> None:
    notification = Notification.objects.create(
        recipient=recipient, kind="new_message", source="messaging", key="a thread",
        first_sequence=number, last_sequence=number,
    )  # fmt: skip
    Delivery.objects.create(notification=notification, **fields)


def tell(rows: list[PutOff]) -> list[tuple[str, int]]:
    return sorted((row.what, row.attempts) for row in rows)


def test_only_what_failed_is_brought_forward_when_no_clock_was_wrong(
    url: str, conversation: Conversation, seller: Any
) -> None:
    """The seller is to be looked at in three minutes."""
    now = timezone.now()
    minute, hour = now + timedelta(minutes=1), now + timedelta(hours=1)
    owe(seller, 1, due_at=minute, attempts=2)
    owe(seller, 2, due_at=minute)
    owe(seller, 3, due_at=now, claimed_until=hour)
    owe(seller, 4, due_at=now + timedelta(seconds=5))
    assert count_owed(url) == 5
    rows = read_put_off(url)
    assert tell(rows) == [("claim", 0), ("look", 0), ("mail", 0), ("mail", 2)]
    assert {row.recipient for row in rows} == {seller.pk}
    assert {row.key for row in rows} == {"a thread", str(conversation.pk)}
    assert 30 < min(row.due_in for row in rows) <= 60
    assert bring_forward(url, everything=False) == 1
    assert tell(read_put_off(url)) == [("claim", 0), ("look", 0), ("mail", 0)]
    assert bring_forward(url, everything=True) == 3
    assert read_put_off(url) == []


@pytest.mark.parametrize("clocks_were_wrong", [False, True])
def test_what_is_put_off_is_written_down_before_anything_is_done_about_it(
    monkeypatch: pytest.MonkeyPatch, clocks_were_wrong: bool
) -> None:
    did: list[Any] = []
    late = [PutOff("mail", 1, "a thread", 2, 20.0)]

    async def wait(url: str, *, seconds: float) -> bool:
        did.append(seconds)
        return len(did) > 3

    def bring(url: str, *, everything: bool) -> int:
        did.append(everything)
        return 1

    def read(url: str) -> list[PutOff]:
        did.append("read")
        return late

    monkeypatch.setattr(quiet, "wait_for_mails", wait)
    monkeypatch.setattr(quiet, "read_put_off", read)
    monkeypatch.setattr(quiet, "bring_forward", bring)
    monkeypatch.setattr(quiet, "count_owed", lambda url: 1)
    last = see_last_mails_off("", seconds=130, clocks_were_wrong=clocks_were_wrong)
    assert did == [130, "read", clocks_were_wrong, 15]
    assert (last.put_off, last.brought_forward, last.all_left) == (late, 1, True)


def test_what_nobody_may_help_is_still_owed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait(url: str, *, seconds: float) -> bool:
        return False

    monkeypatch.setattr(quiet, "wait_for_mails", wait)
    monkeypatch.setattr(quiet, "read_put_off", lambda url: [])
    monkeypatch.setattr(quiet, "bring_forward", lambda url, *, everything: 0)
    monkeypatch.setattr(quiet, "count_owed", lambda url: 1)
    assert not see_last_mails_off("", seconds=0.01, clocks_were_wrong=False).all_left
