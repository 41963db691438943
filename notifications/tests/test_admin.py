"""Staff read the trail and change nothing; it goes when its person goes."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, Permission
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


def test_staff_delete_a_person_who_has_been_notified(
    source: FakeSource,
    seller: AbstractBaseUser,
    staff: AbstractBaseUser,
    client_of: Callable[[AbstractBaseUser], Client],
) -> None:
    owed_delivery(source, seller.pk)
    page = reverse(f"admin:{seller._meta.app_label}_user_delete", args=[seller.pk])

    response = client_of(staff).post(page, {"post": "yes"})

    assert response.status_code == 302
    assert not get_user_model().objects.filter(pk=seller.pk).exists()
    assert not Notification.objects.exists()


def test_staff_without_the_permission_delete_no_notification(
    source: FakeSource,
    seller: AbstractBaseUser,
    stranger: AbstractBaseUser,
    client_of: Callable[[AbstractBaseUser], Client],
) -> None:
    notification = owed_delivery(source, seller.pk).notification
    page = reverse("admin:notifications_notification_delete", args=[notification.pk])
    get_user_model().objects.filter(pk=stranger.pk).update(is_staff=True)

    assert client_of(stranger).post(page, {"post": "yes"}).status_code == 403

    grant(stranger, "delete_notification", "delete_delivery")
    assert client_of(stranger).post(page, {"post": "yes"}).status_code == 302
    assert not Notification.objects.exists()


def grant(person: AbstractBaseUser, *codenames: str) -> None:
    permissions: Any = person
    permissions.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
