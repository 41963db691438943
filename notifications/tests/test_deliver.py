"""A due delivery is sent once, put off or dropped, as its source says."""

from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.contrib.auth.models import AbstractBaseUser
from django.core import mail
from django.utils import timezone

from notifications.models import Delivery, Notification
from notifications.selectors import count_unseen
from notifications.services.deliver import deliver
from notifications.services.notify import notify
from notifications.sources import Content, Span, State
from notifications.tests.conftest import owed_delivery
from notifications.tests.fake_source import FakeSource

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mail_settings")]


def test_it_is_mailed_once(
    source: FakeSource, seller: AbstractBaseUser, clock: time_machine.Traveller
) -> None:
    delivery = owed_delivery(source, seller.pk)

    deliver(delivery_id=delivery.pk)
    deliver(delivery_id=delivery.pk)

    assert [message.to for message in mail.outbox] == [["sol@example.com"]]
    delivery.refresh_from_db()
    assert (delivery.state, delivery.sent_at) == (Delivery.State.SENT, timezone.now())
    assert [entry["what"] for entry in delivery.trail] == ["created", "sent"]
    assert count_unseen(recipient_id=seller.pk) == 1


def test_what_is_not_due_yet_is_left_alone(source: FakeSource, seller: AbstractBaseUser) -> None:
    delivery = owed_delivery(source, seller.pk)
    Delivery.objects.update(due_at=timezone.now() + timedelta(seconds=1))

    deliver(delivery_id=delivery.pk)

    assert mail.outbox == []
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == (Delivery.State.PENDING, 0)


def test_read_in_the_last_moment_is_not_mailed_and_leaves_the_bell(
    source: FakeSource, seller: AbstractBaseUser
) -> None:
    delivery = owed_delivery(source, seller.pk)
    source.thread(seller.pk).read = 1

    deliver(delivery_id=delivery.pk)

    assert mail.outbox == []
    delivery.refresh_from_db()
    assert delivery.state == Delivery.State.CANCELLED
    assert delivery.trail[-1]["why"] == "read"
    assert count_unseen(recipient_id=seller.pk) == 0


@pytest.mark.parametrize("state", ["muted", "blocked", "left", "gone"])
def test_what_changed_meanwhile_stops_the_mail(
    source: FakeSource, seller: AbstractBaseUser, state: State
) -> None:
    delivery = owed_delivery(source, seller.pk)
    source.thread(seller.pk).state = state

    deliver(delivery_id=delivery.pk)

    assert mail.outbox == []
    delivery.refresh_from_db()
    assert (delivery.state, delivery.trail[-1]["why"]) == (Delivery.State.CANCELLED, state)


def test_an_account_closed_meanwhile_gets_no_mail(
    source: FakeSource, seller: AbstractBaseUser
) -> None:
    delivery = owed_delivery(source, seller.pk)
    seller.is_active = False
    seller.save()

    deliver(delivery_id=delivery.pk)

    assert mail.outbox == []
    delivery.refresh_from_db()
    assert delivery.trail[-1]["why"] == "no_account"


def test_being_connected_puts_the_mail_off_until_the_connection_ends(
    source: FakeSource, seller: AbstractBaseUser, clock: time_machine.Traveller
) -> None:
    delivery = owed_delivery(source, seller.pk)
    source.thread(seller.pk).connected = True
    for _look in range(5):
        deliver(delivery_id=delivery.pk)
        clock.shift(10)
    assert mail.outbox == []
    delivery.refresh_from_db()
    assert delivery.trail[-1]["times"] == 5
    assert delivery.attempts == 0

    source.thread(seller.pk).connected = False
    deliver(delivery_id=delivery.pk)

    assert len(mail.outbox) == 1


@pytest.mark.parametrize(("minutes", "mails"), [(59, 0), (60, 1)])
def test_after_an_hour_it_is_owed_to_the_connected_too(
    source: FakeSource,
    seller: AbstractBaseUser,
    clock: time_machine.Traveller,
    minutes: int,
    mails: int,
) -> None:
    source.thread(seller.pk).connected = True
    delivery = owed_delivery(source, seller.pk)

    clock.shift(timedelta(minutes=minutes))
    deliver(delivery_id=delivery.pk)

    assert len(mail.outbox) == mails


def test_the_newest_unread_is_in_the_mail_and_needs_none_of_its_own(
    source: FakeSource, seller: AbstractBaseUser
) -> None:
    delivery = owed_delivery(source, seller.pk, "Is it still there?")
    newer = source.say(seller.pk, "And how heavy is it?")

    deliver(delivery_id=delivery.pk)
    notify(source=source, dues=[newer])

    assert "And how heavy is it?" in mail.outbox[0].body
    assert Notification.objects.get().last_sequence == 2
    assert Delivery.objects.get().state == Delivery.State.SENT


def test_when_nothing_new_is_left_there_is_no_mail(
    source: FakeSource, seller: AbstractBaseUser
) -> None:
    delivery = owed_delivery(source, seller.pk)
    # Read between the source's answer and its content.
    source.on_look = lambda: setattr(source.thread(seller.pk), "state", "owed")
    content = source.content

    def read_now(span: Span) -> Content:
        source.thread(seller.pk).read = 1
        return content(span)

    source.content = read_now  # type: ignore[method-assign]

    deliver(delivery_id=delivery.pk)

    assert mail.outbox == []
    delivery.refresh_from_db()
    assert delivery.trail[-1]["why"] == "nothing_new"


def test_without_a_verified_address_there_is_no_mail_but_the_bell_keeps_it(
    source: FakeSource, seller: AbstractBaseUser
) -> None:
    EmailAddress.objects.filter(user_id=seller.pk).update(verified=False)
    delivery = owed_delivery(source, seller.pk)

    deliver(delivery_id=delivery.pk)

    assert mail.outbox == []
    delivery.refresh_from_db()
    assert (delivery.state, delivery.trail[-1]["why"]) == (Delivery.State.CANCELLED, "no_address")
    assert count_unseen(recipient_id=seller.pk) == 1
