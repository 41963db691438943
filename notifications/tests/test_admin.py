"""Staff read the trail and change nothing."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import AbstractBaseUser
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from notifications.models import Notification
from notifications.services.deliver import deliver
from notifications.tests.conftest import owed_delivery
from notifications.tests.fake_source import FakeSource

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mail_settings")]
LIST = reverse("admin:notifications_notification_changelist")


def test_staff_read_why_something_was_not_mailed(
    source: FakeSource,
    seller: AbstractBaseUser,
    staff: AbstractBaseUser,
    client_of: Callable[[AbstractBaseUser], Client],
) -> None:
    delivery = owed_delivery(source, seller.pk)
    source.thread(seller.pk).read = 1
    deliver(delivery_id=delivery.pk)
    notification = Notification.objects.get()
    client = client_of(staff)

    page = client.get(
        reverse("admin:notifications_notification_change", args=[notification.pk])
    ).content.decode()

    assert "Not mailed: they had read it" in page
    assert 'name="_save"' not in page
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.get(LIST, {"q": "c1"}).content.decode().count("E-mail: Cancelled") == 1


def test_the_list_takes_as_many_queries_for_many_as_for_one(
    source: FakeSource,
    seller: AbstractBaseUser,
    buyer: AbstractBaseUser,
    staff: AbstractBaseUser,
    client_of: Callable[[AbstractBaseUser], Client],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    client = client_of(staff)
    for person in (seller, buyer):
        owed_delivery(source, person.pk)
        with django_assert_max_num_queries(9):
            assert client.get(LIST).status_code == 200


def test_a_stranger_is_sent_to_log_in(
    stranger: AbstractBaseUser, client_of: Callable[[AbstractBaseUser], Client]
) -> None:
    assert client_of(stranger).get(LIST).status_code == 302
