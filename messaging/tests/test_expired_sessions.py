"""Sessions that have expired go in bulk; those that end do not go unheard."""

import sys
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging import receivers
from messaging.exceptions import Unauthenticated
from messaging.models import Conversation
from messaging.services.sessions import delete_expired
from messaging.tests.browsing import post_json, url
from messaging.tests.crowd import place_of

pytestmark = pytest.mark.django_db


def make_expired(count: int) -> None:
    old = timezone.now() - timedelta(days=3)
    Session.objects.bulk_create(
        Session(session_key=f"old{number:029d}", session_data="x", expire_date=old)
        for number in range(count)
    )


def test_a_batch_is_two_statements_and_tells_nobody(
    buyer: Any, client_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**arguments: Any) -> None:
        raise AssertionError(arguments)

    live = client_of(buyer).session.session_key
    make_expired(250)
    monkeypatch.setattr(receivers, "_check_whose_session", fail)
    with CaptureQueriesContext(connection) as asked:
        assert delete_expired(limit=200) == 200
    assert len(asked) == 2
    assert delete_expired(limit=200) == 50
    assert delete_expired() == 0
    assert [row.session_key for row in Session.objects.all()] == [live]


def test_the_command_deletes_all_and_says_how_many(
    buyer: Any, client_of: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    client_of(buyer)
    make_expired(1001)
    call_command("messaging_clear_sessions")
    assert capsys.readouterr().out == "1001 expired sessions deleted.\n"
    assert Session.objects.count() == 1


def test_a_read_is_not_stored_after_the_end_of_its_session(
    conversation: Conversation, seller: Any, client_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends between the page's look at who asks and the write."""
    sol = client_of(seller)
    views: Any = sys.modules["messaging.views.conversations"]
    read_fields = views.read_fields

    def end_and_read(request: Any) -> Any:
        Session.objects.all().delete()
        return read_fields(request)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(views, "read_fields", end_and_read)
        answer = post_json(sol, url(conversation, "read/"), sequence=1)
    assert (answer.status_code, answer.json()["code"]) == (401, Unauthenticated.code)
    assert place_of(seller, conversation).read_sequence == 0
    again = client_of(seller)
    again.force_login(seller)
    assert post_json(again, url(conversation, "read/"), sequence=1).status_code == 200
    assert place_of(seller, conversation).read_sequence == 1
