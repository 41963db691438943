"""What fails on the way to a mail costs time and never the mail, and hardly ever a second one."""

import logging
import smtplib
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import AbstractBaseUser
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.utils import timezone

from notifications.models import Delivery, Notification
from notifications.services.deliver import claim_delivery, deliver
from notifications.tests.conftest import owed_delivery
from notifications.tests.fake_source import FakeSource

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mail_settings")]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception | None], None]:
    """The mail server answers with this exception, until it is None."""
    send = EmailBackend.send_messages
    answer: list[Exception | None] = [None]

    def send_or_fail(self: EmailBackend, messages: Any) -> Any:
        if answer[0] is not None:
            raise answer[0]
        return send(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", send_or_fail)
    return lambda error: answer.__setitem__(0, error)


def test_a_mail_server_that_is_down_is_tried_again_later_and_later(
    source: FakeSource,
    seller: AbstractBaseUser,
    clock: time_machine.Traveller,
    failing: Callable[[Exception | None], None],
) -> None:
    delivery = owed_delivery(source, seller.pk)
    failing(ConnectionRefusedError())
    waits = []
    for _attempt in range(12):
        deliver(delivery_id=delivery.pk)
        delivery.refresh_from_db()
        assert delivery.state == Delivery.State.PENDING
        waits.append((delivery.due_at - timezone.now()).total_seconds())
        clock.move_to(delivery.due_at)

    assert waits == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]
    failing(None)
    deliver(delivery_id=delivery.pk)
    deliver(delivery_id=delivery.pk)

    assert len(mail.outbox) == 1
    delivery.refresh_from_db()
    assert [entry["what"] for entry in delivery.trail] == ["created", "retrying", "sent"]
    assert delivery.trail[1]["times"] == 12


def test_after_a_day_of_failures_it_is_given_up(
    source: FakeSource,
    seller: AbstractBaseUser,
    clock: time_machine.Traveller,
    failing: Callable[[Exception | None], None],
) -> None:
    delivery = owed_delivery(source, seller.pk)
    started = timezone.now()
    failing(TimeoutError())
    while delivery.state == Delivery.State.PENDING:
        deliver(delivery_id=delivery.pk)
        delivery.refresh_from_db()
        clock.move_to(delivery.due_at)

    assert delivery.state == Delivery.State.FAILED
    assert timedelta(hours=24) <= timezone.now() - started < timedelta(hours=25)
    assert delivery.trail[-1]["why"] == "too_long"


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        ((550, b"5.1.1 User unknown"), Delivery.State.FAILED),
        ((550, b"5.7.1 Relaying denied"), Delivery.State.PENDING),
        ((450, b"4.2.0 Greylisted"), Delivery.State.PENDING),
    ],
)
def test_only_an_address_that_does_not_exist_is_given_up_at_once(
    source: FakeSource,
    seller: AbstractBaseUser,
    failing: Callable[[Exception | None], None],
    reply: tuple[int, bytes],
    state: Delivery.State,
) -> None:
    delivery = owed_delivery(source, seller.pk)
    failing(smtplib.SMTPRecipientsRefused({"sol@example.com": reply}))

    deliver(delivery_id=delivery.pk)

    delivery.refresh_from_db()
    assert delivery.state == state


def test_a_failure_tells_log_and_trail_neither_address_nor_text(
    source: FakeSource,
    seller: AbstractBaseUser,
    failing: Callable[[Exception | None], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    delivery = owed_delivery(source, seller.pk, "a secret")
    failing(ValueError("sol@example.com: a secret"))

    with caplog.at_level(logging.DEBUG):
        deliver(delivery_id=delivery.pk)

    delivery.refresh_from_db()
    for told in (caplog.text, str(delivery.trail)):
        assert "ValueError at" in told
        assert "sol@" not in told
        assert "secret" not in told


def test_a_source_that_is_not_there_is_tried_again(
    source: FakeSource, seller: AbstractBaseUser
) -> None:
    delivery = owed_delivery(source, seller.pk)
    Notification.objects.update(source="uninstalled")

    deliver(delivery_id=delivery.pk)

    delivery.refresh_from_db()
    assert (delivery.state, delivery.trail[-1]["what"]) == (Delivery.State.PENDING, "retrying")


def test_what_a_killed_worker_held_is_taken_over_when_its_claim_lapses(
    source: FakeSource, seller: AbstractBaseUser, clock: time_machine.Traveller
) -> None:
    delivery = owed_delivery(source, seller.pk)
    assert claim_delivery(delivery_id=delivery.pk) is not None

    clock.shift(119)
    deliver(delivery_id=delivery.pk)
    assert mail.outbox == []
    clock.shift(1)
    deliver(delivery_id=delivery.pk)

    assert len(mail.outbox) == 1


def test_a_worker_that_slept_past_its_claim_sends_nothing(
    source: FakeSource, seller: AbstractBaseUser, clock: time_machine.Traveller
) -> None:
    delivery = owed_delivery(source, seller.pk)

    def sleep_once() -> None:
        source.on_look = lambda: None
        clock.shift(121)
        deliver(delivery_id=delivery.pk)  # Another worker, meanwhile.

    source.on_look = sleep_once
    deliver(delivery_id=delivery.pk)

    assert len(mail.outbox) == 1
    delivery.refresh_from_db()
    assert [entry["what"] for entry in delivery.trail] == ["created", "sent"]


def test_killed_between_sending_and_marking_the_repeat_is_recognisable(
    source: FakeSource,
    seller: AbstractBaseUser,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    delivery = owed_delivery(source, seller.pk)
    with monkeypatch.context() as patched:
        patched.setattr("notifications.services.deliver._mark_sent", _be_killed)
        with pytest.raises(KeyboardInterrupt):
            deliver(delivery_id=delivery.pk)

    clock.shift(120)
    deliver(delivery_id=delivery.pk)

    ids = [message.extra_headers["Message-ID"] for message in mail.outbox]
    assert ids == [delivery.message_id] * 2


def _be_killed(*_arguments: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_the_same_delivery_send_one_mail(
    source: FakeSource, seller: AbstractBaseUser
) -> None:
    delivery = owed_delivery(source, seller.pk)
    start = threading.Barrier(4)

    def work() -> None:
        start.wait(timeout=10)
        deliver(delivery_id=delivery.pk)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert len(mail.outbox) == 1
