"""What is due becomes one Notification per burst and person."""

import logging
import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction
from django.utils import timezone

from notifications.models import Delivery, Notification
from notifications.selectors import count_unseen, visible_notifications
from notifications.services import notify as service
from notifications.services.notify import notify, notify_due
from notifications.sources import Due, State
from notifications.tests.fake_source import FakeSource

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mail_settings")]


def test_what_is_due_is_one_notification_with_a_due_delivery(
    source: FakeSource, seller: AbstractBaseUser, clock: time_machine.Traveller
) -> None:
    source.say(seller.pk)
    source.say(seller.pk, "And where?")

    assert notify_due(source=source, limit=10) == 1

    notification = Notification.objects.get()
    assert (notification.first_sequence, notification.last_sequence) == (1, 2)
    assert (notification.title, notification.url) == ("Touring bike, 54 cm", "/conversation/c1/")
    delivery = notification.deliveries.get()
    assert (delivery.state, delivery.due_at) == (Delivery.State.PENDING, timezone.now())
    assert delivery.message_id == f"<{delivery.pk}@market.example>"
    assert count_unseen(recipient_id=seller.pk) == 1
    assert source.thread(seller.pk).notify_at is None


def test_the_same_due_twice_is_one_notification(
    source: FakeSource, seller: AbstractBaseUser
) -> None:
    due = source.say(seller.pk)

    notify(source=source, dues=[due])
    notify(source=source, dues=[due])

    assert Notification.objects.count() == 1


def test_an_unsent_notification_grows_with_its_burst(
    source: FakeSource, seller: AbstractBaseUser
) -> None:
    notify(source=source, dues=[source.say(seller.pk)])
    notify(source=source, dues=[source.say(seller.pk, "And where?")])
    notify(source=source, dues=[source.say(seller.pk, "Hello?")])

    notification = Notification.objects.get()
    assert (notification.first_sequence, notification.last_sequence) == (1, 3)
    merged = notification.deliveries.get().trail[-1]
    assert (merged["what"], merged["times"]) == ("merged", 2)


def test_a_burst_after_a_sent_one_is_its_own(source: FakeSource, seller: AbstractBaseUser) -> None:
    notify(source=source, dues=[source.say(seller.pk)])
    Delivery.objects.update(state=Delivery.State.SENT)

    notify(source=source, dues=[source.say(seller.pk, "Hello?")])

    spans = Notification.objects.order_by("pk").values_list("first_sequence", "last_sequence")
    assert list(spans) == [(1, 1), (2, 2)]


def test_a_mail_that_is_sent_with_it_between_two_looks_is_no_reason_for_another(
    source: FakeSource, seller: AbstractBaseUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    notify(source=source, dues=[source.say(seller.pk)])
    look = service._lock_unsent

    def send_first(latest: Any) -> Any:
        Notification.objects.update(last_sequence=2)  # As the worker that sends it does, at once.
        Delivery.objects.update(state=Delivery.State.SENT)
        return look(latest)

    monkeypatch.setattr(service, "_lock_unsent", send_first)
    due = source.say(seller.pk, "Hello?")
    assert notify(source=source, dues=[due]) == {due: None}

    spans = Notification.objects.values_list("first_sequence", "last_sequence")
    assert list(spans) == [(1, 2)]


def test_a_message_that_comes_while_its_mail_is_being_sent_waits_for_the_outcome(
    source: FakeSource, seller: AbstractBaseUser
) -> None:
    notify(source=source, dues=[source.say(seller.pk)])
    Delivery.objects.update(state=Delivery.State.CLAIMED)

    due = source.say(seller.pk, "Hello?")
    look_again_at = notify(source=source, dues=[due])[due]

    assert look_again_at is not None
    assert timezone.now() < look_again_at <= timezone.now() + timedelta(seconds=15)
    assert Notification.objects.get().last_sequence == 1


def test_read_before_it_was_due_is_kept_but_in_no_bell(
    source: FakeSource, seller: AbstractBaseUser
) -> None:
    source.say(seller.pk)
    source.thread(seller.pk).read = 1
    source.threads[seller.pk, "c1"].notify_at = timezone.now()
    due = Due(seller.pk, "c1", 1, 1, "new_message", None)

    notify(source=source, dues=[due])

    notification = Notification.objects.get()
    delivery = notification.deliveries.get()
    assert notification.cancelled_at is not None
    assert delivery.state == Delivery.State.CANCELLED
    assert (delivery.trail[-1]["what"], delivery.trail[-1]["why"]) == ("cancelled", "read")
    assert count_unseen(recipient_id=seller.pk) == 0
    assert not visible_notifications(recipient_id=seller.pk)


@pytest.mark.parametrize("state", ["muted", "blocked", "left", "gone"])
def test_what_is_no_longer_owed_is_cancelled_with_its_reason(
    source: FakeSource, seller: AbstractBaseUser, state: State
) -> None:
    source.thread(seller.pk).state = state

    notify(source=source, dues=[source.say(seller.pk)])

    delivery = Delivery.objects.get()
    assert delivery.state == Delivery.State.CANCELLED
    assert delivery.trail[-1]["why"] == state
    assert count_unseen(recipient_id=seller.pk) == 0


def test_somebody_connected_is_looked_at_again_within_15_seconds(
    source: FakeSource, seller: AbstractBaseUser, clock: time_machine.Traveller
) -> None:
    source.thread(seller.pk).connected = True

    notify(source=source, dues=[source.say(seller.pk)])

    delivery = Delivery.objects.get()
    assert delivery.state == Delivery.State.PENDING
    assert timedelta(0) < delivery.due_at - timezone.now() <= timedelta(seconds=10)
    assert count_unseen(recipient_id=seller.pk) == 1


def test_a_person_who_no_longer_exists_is_settled(source: FakeSource) -> None:
    source.say(999_999)

    assert notify_due(source=source, limit=10) == 1

    assert not Notification.objects.exists()
    assert source.thread(999_999).notify_at is None


def test_a_closed_account_gets_no_mail(source: FakeSource, seller: AbstractBaseUser) -> None:
    seller.is_active = False
    seller.save()

    notify(source=source, dues=[source.say(seller.pk)])

    assert Delivery.objects.get().trail[-1]["why"] == "no_account"


def test_one_bad_recipient_holds_up_nobody_and_tells_the_log_nothing(
    source: FakeSource,
    seller: AbstractBaseUser,
    buyer: AbstractBaseUser,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad = ValueError("sol@example.com wrote: a secret")
    failures = iter([bad, bad, None])  # Together, and then each alone.

    def fail_first() -> None:
        if error := next(failures):
            raise error

    source.on_look = fail_first
    source.say(seller.pk)
    source.say(buyer.pk)

    with caplog.at_level(logging.ERROR):
        assert notify_due(source=source, limit=10) == 2

    assert Notification.objects.get().recipient_id == buyer.pk
    assert source.thread(seller.pk).notify_at is not None, "it must come again"
    assert "ValueError at" in caplog.text
    assert "secret" not in caplog.text
    assert "sol@" not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_the_same_burst_write_one_notification(
    source: FakeSource, seller: AbstractBaseUser
) -> None:
    due = source.say(seller.pk)
    both_looked = threading.Barrier(2)

    def wait_for_the_other() -> None:
        both_looked.wait(timeout=10)

    source.on_look = wait_for_the_other
    errors: list[BaseException] = []

    def work() -> None:
        try:
            notify(source=source, dues=[due])
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert errors == []
    assert Notification.objects.count() == Delivery.objects.count() == 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks no rows.")
@pytest.mark.django_db(transaction=True)
def test_one_person_whose_row_is_held_holds_up_nobody(
    source: FakeSource, seller: AbstractBaseUser, buyer: AbstractBaseUser
) -> None:
    """Together they wait for a moment only, and then each is notified alone."""
    is_held, may_go = threading.Event(), threading.Event()
    looks = []

    def hold() -> None:
        with transaction.atomic():
            type(seller)._default_manager.select_for_update().get(pk=seller.pk)
            is_held.set()
            may_go.wait(timeout=10)
        connection.close()

    def look() -> None:
        """Both, then each alone: whoever is held is let go at the last look."""
        looks.append(Notification.objects.count())
        if len(looks) == 4:
            may_go.set()

    source.say(buyer.pk)
    source.say(seller.pk)
    source.on_look = look
    holder = threading.Thread(target=hold)
    holder.start()
    assert is_held.wait(timeout=10)
    assert notify_due(source=source, limit=10) == 2
    holder.join()
    assert looks == [0, 0, 0, 1]
    assert Notification.objects.count() == Delivery.objects.count() == 2
