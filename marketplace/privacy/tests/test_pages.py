"""The doors: who gets in, what is asked of them first, and what nobody else gets."""

import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.utils import timezone

from accounts.models import User
from marketplace.privacy import tasks
from marketplace.privacy.models import DataExport, Erasure
from marketplace.privacy.services.export import make_export, request_export
from marketplace.privacy.services.mail import mail_export
from marketplace.privacy.tests.people import ERASE, EXPORT, confirm, enter, read_zip
from messaging.models import Conversation

JSON = {"Accept": "application/json"}
PRIVATE = "private, no-store"


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Who would have been woken: no worker runs beside these tests."""
    calls: list[Any] = []
    for task in (tasks.export_data, tasks.erase_account):
        monkeypatch.setattr(
            task, "apply_async", lambda arguments, **options: calls.append((arguments, options))
        )
    return calls


def make_ready(user: User) -> DataExport:
    export = request_export(user=user)
    make_export(export_id=export.pk)
    export.refresh_from_db()
    assert export.state == "ready"
    return export


def path_of(export: DataExport) -> str:
    return f"{EXPORT}{export.pk}/"


def read(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def fetch(client: Client, path: str) -> int:
    """The status; what comes is read, as a browser would."""
    response = client.get(path)
    if response.streaming:
        assert read(response)
    return response.status_code


# --- Asking for a copy ----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_copy_from_asking_to_fetching(
    conversation: Conversation, buyer: User, woken: list[Any]
) -> None:
    ana = enter(buyer)
    page = ana.get(EXPORT)
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == PRIVATE
    asked = ana.post(EXPORT)
    assert asked.status_code == 302
    assert asked.headers["Location"].startswith("/accounts/reauthenticate/?next=")
    assert not DataExport.objects.exists()

    confirm(ana)
    assert ana.post(EXPORT).headers["Location"] == EXPORT
    export = DataExport.objects.get()
    assert [arguments for arguments, _ in woken] == [(str(export.pk),)]
    assert ana.get(EXPORT, headers=JSON).json()["state"] == "waiting"
    assert "Your copy is being made: 0 % done." in ana.get(EXPORT).content.decode()

    tasks.export_data(str(export.pk))
    state = ana.get(EXPORT, headers=JSON).json()
    assert state == {"state": "ready", "percent": 100, "download_url": path_of(export)}
    assert path_of(export) in ana.get(EXPORT).content.decode()
    answer = ana.get(path_of(export))
    assert answer.headers["Cache-Control"] == PRIVATE
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="trato-')
    assert read_zip(read(answer))["messages"][0]["text"] == "Is it still there?"


@pytest.mark.django_db(transaction=True)
def test_confirming_goes_on_with_what_was_asked(buyer: User) -> None:
    ana = enter(buyer)
    place = ana.post(EXPORT).headers["Location"]
    answer = ana.post(place, {"password": "a long trato password", "next": EXPORT}, follow=True)
    assert answer.status_code == 200
    assert DataExport.objects.filter(user=buyer, state="waiting").count() == 1


def test_one_open_copy_at_a_time_and_three_a_day(buyer: User, seller: User) -> None:
    first = request_export(user=buyer)
    assert request_export(user=buyer) == first
    assert request_export(user=seller) != first
    ana = enter(buyer)
    confirm(ana)
    for _again in range(2):
        make_ready(buyer)
        ana.post(EXPORT)
    make_ready(buyer)
    page = ana.post(EXPORT, follow=True)
    assert "You have asked for this often today." in page.content.decode()
    assert DataExport.objects.filter(user=buyer).count() == 3
    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1)):
        assert request_export(user=buyer).state == "waiting"


# --- Who gets it ----------------------------------------------------------------------------------


def test_a_strangers_copy_looks_like_none(
    buyer: User, stranger: User, staff: User, client_of: Callable[[User], Client]
) -> None:
    export = make_ready(buyer)
    for other in (stranger, staff):
        client = enter(other)
        confirm(client)
        answers = [client.get(path) for path in (path_of(export), f"{EXPORT}{uuid4()}/")]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert path_of(export) not in client.get(EXPORT).content.decode()
        assert client.get(EXPORT, headers=JSON).json()["state"] == ""
    own = enter(buyer)
    confirm(own)
    assert fetch(own, path_of(export)) == 200


def test_fetching_asks_for_the_password_too(buyer: User) -> None:
    export = make_ready(buyer)
    ana = enter(buyer)
    assert ana.get(path_of(export)).headers["Location"].startswith("/accounts/reauthenticate/")
    confirm(ana)
    assert fetch(ana, path_of(export)) == 200


@pytest.mark.parametrize("path", [EXPORT, ERASE, f"{EXPORT}{uuid4()}/"])
def test_signed_out_leads_to_log_in(path: str, client: Client, db: None) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert response.headers["Location"] == f"/accounts/login/?next={path}"
    if path in (EXPORT, ERASE):
        assert client.post(path).headers["Location"].startswith("/accounts/login/")
    assert not DataExport.objects.exists()
    assert not Erasure.objects.exists()


@pytest.mark.parametrize("path", [EXPORT, ERASE])
def test_forms_need_the_token(path: str, buyer: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(buyer)
    assert client.post(path, {"address": buyer.email}).status_code == 403
    assert client.put(path).status_code == 403


def test_other_methods_are_not_allowed(buyer: User) -> None:
    ana = enter(buyer)
    confirm(ana)
    assert ana.put(EXPORT).status_code == ana.delete(ERASE).status_code == 405
    assert ana.post(f"{EXPORT}{uuid4()}/").status_code == 405
    assert ana.get(f"{EXPORT}7/").status_code == 404


def test_the_file_lies_where_nothing_is_served(buyer: User) -> None:
    export = make_ready(buyer)
    root = Path(settings.PRIVACY_EXPORTS_ROOT)
    [file] = root.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    assert len(file.stem) == 48
    assert str(export.pk) not in file.name
    client = enter(buyer)
    for path in (f"/media/exports/{file.name}", f"/media/{file.name}", f"/media/../exports/{file}"):
        assert client.get(path).status_code == 404


# --- How long -------------------------------------------------------------------------------------


def test_a_copy_is_removed_after_seven_days(buyer: User) -> None:
    export = make_ready(buyer)
    root = Path(settings.PRIVACY_EXPORTS_ROOT)
    with time_machine.travel(timezone.now() + timedelta(days=6, hours=23)):
        ana = enter(buyer)
        confirm(ana)
        tasks.find_work()
        assert fetch(ana, path_of(export)) == 200
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
        ana = enter(buyer)
        confirm(ana)
        assert fetch(ana, path_of(export)) == 404  # Before anybody has swept, too.
        assert ana.get(EXPORT, headers=JSON).json()["state"] == "expired"
        assert len(list(root.iterdir())) == 1
        tasks.find_work()
        assert list(root.iterdir()) == []
        assert fetch(ana, path_of(export)) == 404
        assert "Your last copy has been removed." in ana.get(EXPORT).content.decode()


def test_a_file_that_is_gone_is_a_404(buyer: User) -> None:
    export = make_ready(buyer)
    next(Path(settings.PRIVACY_EXPORTS_ROOT).iterdir()).unlink()
    ana = enter(buyer)
    confirm(ana)
    assert fetch(ana, path_of(export)) == 404


# --- The mail -------------------------------------------------------------------------------------


def test_the_owner_is_mailed_a_link_once(buyer: User) -> None:
    buyer.locale, buyer.time_zone = "es", "Europe/Madrid"
    buyer.save()
    export = make_ready(buyer)
    mail_export(export_id=export.pk)
    mail_export(export_id=export.pk)
    tasks.find_work()
    [message] = mail.outbox
    assert message.to == ["ana@example.com"]
    assert f"{settings.SITE_URL}{EXPORT}" in message.body
    assert isinstance(message, EmailMultiAlternatives)
    [(html, _)] = message.alternatives
    assert f"{settings.SITE_URL}{EXPORT}" in str(html)
    assert "\n" not in message.subject


def test_a_mail_server_that_is_down_is_asked_again(
    buyer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = make_ready(buyer)

    def refuse(*_: Any, **__: Any) -> int:
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.EmailMultiAlternatives.send", refuse)
        mail_export(export_id=export.pk)
    tasks.find_work()
    assert mail.outbox == []
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        tasks.find_work()
    assert len(mail.outbox) == 1


def test_nobody_is_mailed_at_an_address_that_is_not_confirmed(buyer: User) -> None:
    buyer.emailaddress_set.update(verified=False)  # type: ignore[attr-defined]
    mail_export(export_id=make_ready(buyer).pk)
    assert mail.outbox == []


# --- Erasing --------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_erasing_from_asking_to_the_end(
    conversation: Conversation, buyer: User, woken: list[Any]
) -> None:
    ana = enter(buyer)
    page = ana.get(ERASE)
    assert page.headers["Cache-Control"] == PRIVATE
    assert "What stays" in page.content.decode()
    assert ana.post(ERASE, {"address": buyer.email}).status_code == 302
    assert User.objects.get(pk=buyer.pk).is_active
    confirm(ana)

    for wrong in ("", "sol@example.com", "Ana"):
        answer = ana.post(ERASE, {"address": wrong})
        assert answer.status_code == 400
    assert User.objects.get(pk=buyer.pk).is_active
    assert not Erasure.objects.exists()

    answer = ana.post(ERASE, {"address": " ANA@example.com "})
    assert answer.headers["Location"] == "/accounts/privacy/erased/"
    assert ana.get(answer.headers["Location"]).status_code == 200
    assert not User.objects.get(pk=buyer.pk).is_active
    erasure = Erasure.objects.get()
    assert [arguments for arguments, _ in woken] == [(erasure.pk,)]
    assert ana.get(EXPORT).status_code == 302
    tasks.erase_account(erasure.pk)
    assert not User.objects.filter(pk=buyer.pk).exists()


def test_staff_get_a_sentence(staff: User) -> None:
    client = enter(staff)
    confirm(client)
    answer = client.post(ERASE, {"address": staff.email})
    assert answer.status_code == 400
    assert "This account is of the staff." in answer.content.decode()


def test_anybody_may_see_the_last_page(client: Client, db: None) -> None:
    assert "Your account is gone" in client.get("/accounts/privacy/erased/").content.decode()


# --- Queries --------------------------------------------------------------------------------------


def test_pages_take_few_queries(
    buyer: User, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    make_ready(buyer)
    ana = enter(buyer)
    for path in (EXPORT, ERASE):
        with django_assert_max_num_queries(6):
            ana.get(path)
