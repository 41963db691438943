"""The beat's task, how due deliveries reach workers, and how long publishing may take."""

import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.contrib.auth.models import AbstractBaseUser
from django.core import mail
from django.db import connection
from django.utils import timezone
from kombu.exceptions import OperationalError

from celery_app import Application, app, default_configuration, is_redis
from notifications.models import Delivery
from notifications.services import hand_over
from notifications.services.deliver import claim_delivery
from notifications.services.hand_over import hand_over_due, put_off_waiting
from notifications.services.notify import notify_due
from notifications.tasks import create_notifications, send_notification_email
from notifications.tests.conftest import owed_delivery
from notifications.tests.fake_source import FakeSource

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mail_settings")]


@pytest.fixture
def silent_broker() -> Iterator[str]:
    """It takes connections and never answers, like a stopped Redis."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(16)
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


def test_one_wake_up_notifies_and_mails_everybody_who_is_due(
    source: FakeSource, seller: AbstractBaseUser, buyer: AbstractBaseUser, eager: None
) -> None:
    source.say(seller.pk)
    source.say(buyer.pk)

    create_notifications.delay()
    create_notifications.delay()

    assert sorted(message.to[0] for message in mail.outbox) == [
        "ana@example.com",
        "sol@example.com",
    ]


def test_a_wake_up_finds_what_was_left_due(
    source: FakeSource, seller: AbstractBaseUser, eager: None
) -> None:
    owed_delivery(source, seller.pk)

    create_notifications.delay()

    assert len(mail.outbox) == 1


def test_what_was_handed_over_is_handed_over_again_only_when_it_got_lost(
    source: FakeSource, seller: AbstractBaseUser, clock: time_machine.Traveller
) -> None:
    delivery = owed_delivery(source, seller.pk)

    assert hand_over_due() == [delivery.pk]
    assert hand_over_due() == []
    clock.shift(29)
    assert hand_over_due() == []
    clock.shift(1)
    assert hand_over_due() == [delivery.pk]


def test_what_a_killed_worker_held_is_found_by_a_later_wake_up(
    source: FakeSource,
    seller: AbstractBaseUser,
    clock: time_machine.Traveller,
    eager: None,
) -> None:
    delivery = owed_delivery(source, seller.pk)
    assert claim_delivery(delivery_id=delivery.pk) is not None

    clock.shift(119)
    create_notifications.delay()
    assert mail.outbox == []
    clock.shift(1)
    create_notifications.delay()

    assert len(mail.outbox) == 1


def test_only_so_many_are_handed_over_at_once(
    source: FakeSource,
    seller: AbstractBaseUser,
    buyer: AbstractBaseUser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hand_over, "MOST_HANDED_OVER", 1)
    first = owed_delivery(source, seller.pk)
    second = owed_delivery(source, buyer.pk)

    assert hand_over_due() == [first.pk]
    assert hand_over_due() == []
    send_notification_email(str(first.pk))
    assert hand_over_due() == [second.pk]


@pytest.mark.django_db(transaction=True)
def test_two_beats_hand_nothing_over_twice(
    source: FakeSource, seller: AbstractBaseUser, buyer: AbstractBaseUser
) -> None:
    expected = {owed_delivery(source, person.pk).pk for person in (seller, buyer)}
    start = threading.Barrier(4)
    handed: list[UUID] = []

    def beat() -> None:
        start.wait(timeout=10)
        handed.extend(hand_over_due())
        connection.close()

    beats = [threading.Thread(target=beat) for _ in range(4)]
    for thread in beats:
        thread.start()
    for thread in beats:
        thread.join()

    assert len(handed) == 2
    assert set(handed) == expected


def test_without_a_broker_everything_stays_due(
    source: FakeSource, seller: AbstractBaseUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.say(seller.pk)

    def refuse(*_arguments: object, **_options: object) -> None:
        raise OperationalError

    monkeypatch.setattr(send_notification_email, "apply_async", refuse)

    create_notifications()

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.claimed_until) == (Delivery.State.PENDING, None)


def test_asking_for_work_never_waits_long_for_a_stopped_broker(silent_broker: str) -> None:
    waiting = Application("test", broker=silent_broker, set_as_current=False)
    waiting.add_defaults(default_configuration)
    for _attempt in range(2):
        started = time.monotonic()
        with pytest.raises(OperationalError):
            waiting.send_task("anything")
        assert time.monotonic() - started < 2
    waiting.close()


def test_the_beat_wakes_a_task_that_exists_and_its_wake_ups_do_not_pile_up() -> None:
    entry = app.conf.beat_schedule["create-notifications"]

    assert entry["task"] == create_notifications.name
    assert entry["task"] in app.tasks
    assert 0 < entry["options"]["expires"] <= 15
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.task_time_limit < 300


def test_redis_options_go_to_redis_only() -> None:
    assert is_redis("redis+socket:///run/broker.sock?virtual_host=0")
    assert is_redis("rediss://broker:6379/0")
    assert is_redis(["sentinel://one:26379", "sentinel://two:26379"])
    assert not is_redis("memory://")
    assert not is_redis("amqp://guest@broker//")
    assert not is_redis(None)


# --- Who is connected -----------------------------------------------------------------------------


def connect_all(source: FakeSource, recipient_id: Any, count: int) -> None:
    for number in range(count):
        source.say(recipient_id, key=f"c{number}")
        source.thread(recipient_id, f"c{number}").connected = True


def test_those_who_are_here_are_put_off_together(
    source: FakeSource,
    seller: AbstractBaseUser,
    eager: None,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No task for any of them, and the trail says what a look would have said."""
    connect_all(source, seller.pk, 30)
    notify_due(source=source, limit=100)
    monkeypatch.setattr(source, "on_look", lambda: pytest.fail("looked at one by one"))
    create_notifications()
    assert mail.outbox == []
    first = Delivery.objects.first()
    assert first is not None
    assert first.trail[-1]["what"] == "deferred"
    assert first.trail[-1]["why"] == "connected"
    assert set(Delivery.objects.values_list("due_at", "attempts", "claimed_until")) == {
        (timezone.now() + timedelta(seconds=8), 0, None)
    }
    clock.shift(timedelta(seconds=8))
    create_notifications()
    first.refresh_from_db()
    assert first.trail[-1]["times"] == 2


def test_who_goes_is_mailed_and_what_is_read_is_dropped(
    source: FakeSource, seller: AbstractBaseUser, eager: None, clock: time_machine.Traveller
) -> None:
    connect_all(source, seller.pk, 3)
    create_notifications()
    source.thread(seller.pk, "c0").connected = False
    source.thread(seller.pk, "c1").read = 1
    clock.shift(timedelta(seconds=8))
    create_notifications()
    assert len(mail.outbox) == 1
    states = {row.notification.key: row.state for row in Delivery.objects.all()}
    assert states == {"c0": "sent", "c1": "cancelled", "c2": "pending"}


def test_being_here_puts_nothing_off_for_ever(
    source: FakeSource, seller: AbstractBaseUser, eager: None, clock: time_machine.Traveller
) -> None:
    connect_all(source, seller.pk, 1)
    create_notifications()
    Delivery.objects.update(due_at=timezone.now() + timedelta(minutes=59, seconds=58))
    clock.shift(timedelta(minutes=59, seconds=59))
    create_notifications()
    assert Delivery.objects.get().due_at == Delivery.objects.get().first_due_at + timedelta(hours=1)
    clock.shift(timedelta(seconds=1))
    create_notifications()
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("state", ["claimed", "tried"])
def test_what_a_worker_has_is_not_put_off(
    source: FakeSource, seller: AbstractBaseUser, state: str
) -> None:
    delivery = owed_delivery(source, seller.pk)
    source.thread(seller.pk).connected = True
    assert put_off_waiting() == 1  # So it can be.
    Delivery.objects.update(due_at=timezone.now())
    if state == "claimed":
        claim_delivery(delivery_id=delivery.pk)
    else:
        Delivery.objects.update(attempts=1)
    assert put_off_waiting() == 0


def test_putting_off_takes_a_fixed_number_of_queries(
    source: FakeSource, seller: AbstractBaseUser, django_assert_num_queries: Any
) -> None:
    for count in (2, 40):
        connect_all(source, seller.pk, count)
        notify_due(source=source, limit=100)
        Delivery.objects.update(due_at=timezone.now())
        with django_assert_num_queries(5):  # Two of them are the test's own savepoint.
            assert put_off_waiting() == count
