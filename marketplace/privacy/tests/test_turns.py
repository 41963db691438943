"""Long jobs are done one after the other, so that mails do not wait for them."""

import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from marketplace.privacy import files, tasks
from marketplace.privacy.models import DataExport, Erasure
from marketplace.privacy.services import erasure as services
from marketplace.privacy.services import traces
from marketplace.privacy.services.erasure import erase, request_erasure
from marketplace.privacy.services.export import make_export, request_export
from marketplace.privacy.services.turns import claiming, is_busy
from marketplace.privacy.tests.people import EXPORT, confirm, enter
from tests.cast import make_person


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The rows that workers were woken for."""
    keys: list[Any] = []
    for task in (tasks.export_data, tasks.erase_account):
        monkeypatch.setattr(task, "apply_async", lambda given, **_: keys.append(given[0]))
    return keys


def begin(export: DataExport, *, lasts: timedelta = timedelta(minutes=2)) -> None:
    """As a worker does that is in the middle of it."""
    until = timezone.now() + lasts
    DataExport.objects.filter(pk=export.pk).update(state="working", claimed_until=until)


@pytest.mark.django_db
def test_while_one_is_done_no_other_begins(
    buyer: User, seller: User, stranger: User, woken: list[Any]
) -> None:
    running, waiting = request_export(user=buyer), request_export(user=seller)
    gone = request_erasure(user=stranger)
    begin(running)
    tasks.find_work()
    tasks.export_data(str(waiting.pk))
    tasks.erase_account(gone.pk)
    assert woken == []
    waiting.refresh_from_db()
    gone.refresh_from_db()
    assert (waiting.state, waiting.attempts) == ("waiting", 0)
    assert (gone.finished_at, gone.attempts) == (None, 0)


@pytest.mark.django_db
def test_whoever_is_done_wakes_the_next(
    buyer: User, seller: User, stranger: User, woken: list[Any]
) -> None:
    first, second = request_export(user=buyer), request_export(user=seller)
    gone = request_erasure(user=stranger)
    tasks.find_work()
    assert woken == [gone.pk]
    tasks.erase_account(gone.pk)
    assert woken[1:] == [str(first.pk)]
    tasks.export_data(str(first.pk))
    assert woken[2:] == [str(second.pk)]
    tasks.export_data(str(second.pk))
    assert woken[3:] == []
    assert DataExport.objects.filter(state="ready").count() == 2


@pytest.mark.django_db
def test_a_worker_that_died_holds_the_others_up_for_minutes_only(
    buyer: User, seller: User, woken: list[Any]
) -> None:
    begin(request_export(user=buyer))
    waiting = request_export(user=seller)
    tasks.export_data(str(waiting.pk))
    assert is_busy()
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        tasks.export_data(str(waiting.pk))
    waiting.refresh_from_db()
    assert waiting.state == "ready"


@pytest.mark.django_db
def test_one_that_fails_holds_nobody_up(
    buyer: User, stranger: User, woken: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, copy = request_erasure(user=stranger), request_export(user=buyer)
    with monkeypatch.context() as patch:
        patch.setattr(services, "remove_exports_of", lambda **_: 1 / 0)
        tasks.erase_account(gone.pk)
    assert not is_busy()
    tasks.find_work()
    assert woken == [str(copy.pk)]
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        tasks.find_work()
        assert woken[1:] == [gone.pk]
        tasks.erase_account(gone.pk)
    assert Erasure.objects.get().finished_at


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_the_same_moment_claim_one_job(buyer: User, seller: User) -> None:
    """On SQLite one of the two waits for the file, on PostgreSQL for the lock."""
    copies = [request_export(user=person) for person in (buyer, seller)]
    gate, begun = threading.Barrier(2), []

    def claim(export: DataExport) -> None:
        try:
            gate.wait(timeout=10)
            with claiming(in_turn=True) as may_claim:
                if may_claim:
                    begin(export)
                    begun.append(export.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=claim, args=(export,)) for export in copies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(begun) == 1
    assert DataExport.objects.filter(state="working").count() == 1


@pytest.mark.django_db
def test_sessions_are_looked_through_once_for_all_who_wait(
    buyer: User, seller: User, stranger: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    browsers = [enter(person) for person in (buyer, seller, stranger)]
    UserSession.objects.filter(user=seller).delete()
    passes = []
    look = traces.end_sessions

    def look_and_count(**given: Any) -> Any:
        passes.append(1)
        return look(**given)

    monkeypatch.setattr(traces, "end_sessions", look_and_count)
    asked = [request_erasure(user=person) for person in (buyer, seller)]
    Client().post("/accounts/password/reset/", {"email": seller.email})
    assert [erase(erasure_id=row.pk) for row in asked] == [True, True]
    assert len(passes) == 1
    counts = [row.counts["sessions"] for row in Erasure.objects.order_by("pk")]
    assert counts[0] == 1
    assert counts[1] >= 1
    for browser in browsers[:2]:
        assert not Session.objects.filter(session_key=browser.session.session_key).exists()
    assert browsers[2].get("/accounts/profile/").status_code == 200


# --- The disk -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_new_copy_takes_the_place_of_the_old_one(buyer: User, seller: User) -> None:
    make_export(export_id=request_export(user=seller).pk)
    old = request_export(user=buyer)
    make_export(export_id=old.pk)
    asked = request_export(user=buyer)
    assert list_states(buyer) == ["ready", "waiting"]  # Until the new one is there.
    make_export(export_id=asked.pk)
    assert list_states(buyer) == ["expired", "ready"]
    assert list_states(seller) == ["ready"]
    assert len(list(files.list_names())) == 2
    browser = enter(buyer)
    confirm(browser)
    assert browser.get(f"{EXPORT}{old.pk}/").status_code == 404
    answer = browser.get(f"{EXPORT}{asked.pk}/")
    answer.close()
    assert answer.status_code == 200


def list_states(person: User) -> list[str]:
    rows = DataExport.objects.filter(user=person).order_by("requested_at")
    return list(rows.values_list("state", flat=True))


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "KEPT_FREE", 1 << 60)


@pytest.mark.django_db
def test_where_there_is_no_room_that_is_said(full_disk: None) -> None:
    person = make_person("Ines")
    browser = enter(person)
    confirm(browser)
    page = browser.post(EXPORT, follow=True)
    assert "There is no room for a copy just now" in page.content.decode()
    assert not DataExport.objects.exists()


@pytest.mark.django_db
def test_where_there_is_room_nothing_is_said() -> None:
    person = make_person("Ines")
    browser = enter(person)
    confirm(browser)
    browser.post(EXPORT)
    assert list_states(person) == ["waiting"]
