"""What staff may do to accounts, and what they may not."""

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.tests.signing_in import LOG_IN, is_signed_in, open_browser
from marketplace.privacy.services.erasure import request_erasure
from tests.cast import PASSWORD, make_person

PEOPLE = "/admin/accounts/user/"
NEW = "Wholly-new-77"

pytestmark = pytest.mark.django_db
ClientOf = Callable[[User], Client]


@pytest.fixture
def clerk(stranger: User) -> User:
    """Of the staff, may do everything to people, and is no superuser."""
    User.objects.filter(pk=stranger.pk).update(is_staff=True)
    names = ("view_user", "change_user", "delete_user")
    stranger.user_permissions.add(*Permission.objects.filter(codename__in=names))
    return User.objects.get(pk=stranger.pk)


@pytest.fixture
def colleague(db: None) -> User:
    person = make_person("Colleague", is_staff=True)
    Authenticator.objects.create(user=person, type="totp", data={"secret": "x"})
    return person


def change(client: Client, person: User, **fields: str) -> int:
    given = {"display_name": str(person), "locale": "", "time_zone": "", "is_active": "on"}
    given |= {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    return client.post(f"{PEOPLE}{person.pk}/change/", given | fields).status_code


def set_password(client: Client, person: User) -> int:
    fields = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    return client.post(f"{PEOPLE}{person.pk}/password/", fields).status_code


def act(client: Client, action: str, person: User) -> None:
    client.post(PEOPLE, {"action": action, "_selected_action": [person.pk], "post": "yes"})


# --- Staff and staff ------------------------------------------------------------------------------


def test_staff_who_are_no_superusers_have_no_power_over_staff(
    clerk: User, colleague: User, staff: User, client_of: ClientOf
) -> None:
    client = client_of(clerk)
    for person in (colleague, staff):
        assert set_password(client, person) == 403
        assert change(client, person, display_name="Taken over") == 403
        answer = client.post(f"{PEOPLE}{person.pk}/address/", {"email": "thief@example.org"})
        assert answer.status_code == 403
        assert client.post(f"{PEOPLE}{person.pk}/delete/", {"post": "yes"}).status_code == 403
        browser = open_browser(person) if person == staff else None
        for action in ("deactivate", "end_all_sessions", "remove_second_factor", "delete_selected"):
            act(client, action, person)
        assert browser is None or is_signed_in(browser)
        found = User.objects.get(pk=person.pk)
        assert found.check_password(PASSWORD)
        assert found.is_active
        assert EmailAddress.objects.filter(user=person, email=found.email).exists()
    assert Authenticator.objects.filter(user=colleague).exists()


def test_of_themselves_they_change_the_profile_only(clerk: User, client_of: ClientOf) -> None:
    client = client_of(clerk)
    assert client.get(f"{PEOPLE}{clerk.pk}/change/").status_code == 200
    fields = {"display_name": "Teodora", "is_superuser": "on", "email": "other@example.org"}
    assert change(client, clerk, **fields) == 302
    found = User.objects.get(pk=clerk.pk)
    assert (found.display_name, found.is_superuser, found.is_staff) == ("Teodora", False, True)
    assert found.email == clerk.email
    assert set_password(client, clerk) == 403
    answer = client.post(f"{PEOPLE}{clerk.pk}/address/", {"email": "other@example.org"})
    assert answer.status_code == 403
    assert client.post(f"{PEOPLE}{clerk.pk}/delete/", {"post": "yes"}).status_code == 403


def test_everybody_else_they_help(clerk: User, buyer: User, client_of: ClientOf) -> None:
    client = client_of(clerk)
    assert set_password(client, buyer) == 302
    assert User.objects.get(pk=buyer.pk).check_password(NEW)
    assert change(client, buyer, display_name="Ana Ríos") == 302
    assert User.objects.get(pk=buyer.pk).is_active
    act(client, "deactivate", buyer)
    assert not User.objects.get(pk=buyer.pk).is_active


def test_a_superuser_helps_staff(staff: User, colleague: User, client_of: ClientOf) -> None:
    assert set_password(client_of(staff), colleague) == 302
    act(client_of(staff), "remove_second_factor", colleague)
    assert not Authenticator.objects.exists()


# --- Another address ------------------------------------------------------------------------------


def test_the_form_does_not_change_the_address(
    staff: User, buyer: User, client_of: ClientOf
) -> None:
    client = client_of(staff)
    page = client.get(f"{PEOPLE}{buyer.pk}/change/").content.decode()
    assert f'href="{PEOPLE}{buyer.pk}/address/"' in page
    change(client, buyer, email="rescued@example.org")
    assert User.objects.get(pk=buyer.pk).email == buyer.email


@pytest.mark.parametrize("is_verified", [True, False])
def test_a_new_address_takes_all_power_from_the_old_one(
    staff: User, buyer: User, client_of: ClientOf, is_verified: bool
) -> None:
    thief, old = open_browser(buyer), buyer.email
    EmailAddress.objects.create(user=buyer, email="second@example.org")
    fields = {"email": "Rescued@example.org"} | ({"is_verified": "on"} if is_verified else {})
    client = client_of(staff)
    assert (
        "It is ana@example.com now" in client.get(f"{PEOPLE}{buyer.pk}/address/").content.decode()
    )
    assert client.post(f"{PEOPLE}{buyer.pk}/address/", fields).status_code == 302
    assert not is_signed_in(thief)
    [row] = EmailAddress.objects.filter(user=buyer)
    assert (row.email, row.primary, row.verified) == ("rescued@example.org", True, is_verified)
    browser = Client()
    browser.post(LOG_IN, {"login": old, "password": PASSWORD})
    assert not is_signed_in(browser)
    mail.outbox.clear()
    browser.post("/accounts/password/reset/", {"email": old})
    assert mail.outbox[-1].subject != ""
    assert "/accounts/password/reset/key/" not in str(mail.outbox[-1].body)
    browser.post(LOG_IN, {"login": "rescued@example.org", "password": PASSWORD})
    assert is_signed_in(browser) is is_verified
    if not is_verified:
        assert mail.outbox[-1].to == ["rescued@example.org"]
    assert "rescued" not in client.get(f"{PEOPLE}{buyer.pk}/history/").content.decode().lower()


def test_an_address_of_somebody_else_is_refused(
    staff: User, buyer: User, seller: User, client_of: ClientOf
) -> None:
    answer = client_of(staff).post(f"{PEOPLE}{buyer.pk}/address/", {"email": "SOL@example.com"})
    assert "Somebody else has this address" in answer.content.decode()
    assert User.objects.get(pk=buyer.pk).email == buyer.email


def test_the_page_is_for_staff(buyer: User, seller: User, client_of: ClientOf) -> None:
    place = f"{PEOPLE}{buyer.pk}/address/"
    assert client_of(seller).post(place, {"email": "x@example.org"}).status_code in (302, 403)
    assert Client().post(place, {"email": "x@example.org"}).status_code == 302
    assert User.objects.get(pk=buyer.pk).email == buyer.email


def test_there_is_no_address_page_of_nobody(staff: User, client_of: ClientOf) -> None:
    assert client_of(staff).get(f"{PEOPLE}99999/address/").status_code == 404


# --- Sessions and closed accounts -----------------------------------------------------------------


@pytest.mark.django_db(transaction=True)  # Those are looked for after the commit.
def test_all_sessions_are_also_those_that_no_list_has(
    staff: User, buyer: User, seller: User, client_of: ClientOf
) -> None:
    old, other = open_browser(buyer), open_browser(seller)
    UserSession.objects.all().delete()
    act(client_of(staff), "end_all_sessions", buyer)
    assert not is_signed_in(old)
    assert is_signed_in(other)


def test_an_account_that_waits_to_be_erased_stays_closed(
    staff: User, buyer: User, seller: User, client_of: ClientOf
) -> None:
    request_erasure(user=buyer)
    User.objects.filter(pk=seller.pk).update(is_active=False)
    client = client_of(staff)
    for person in (buyer, seller):
        act(client, "reactivate", person)
    assert not User.objects.get(pk=buyer.pk).is_active
    assert User.objects.get(pk=seller.pk).is_active
    change(client, buyer)
    assert not User.objects.get(pk=buyer.pk).is_active


# --- The first of the staff -----------------------------------------------------------------------


def test_the_first_superuser_comes_in_without_a_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", NEW)
    who = {"email": "Boss@example.org", "display_name": "Boss"}
    call_command("createsuperuser", interactive=False, verbosity=0, **who)
    browser = Client()
    browser.post(LOG_IN, {"login": "boss@example.org", "password": NEW})
    assert browser.get(PEOPLE).status_code == 200
    assert not mail.outbox


# --- Together with others who write ---------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["one", "several"])
def test_people_are_locked_before_what_is_theirs(how: str, admin_client: Client) -> None:
    """As whoever writes messages does: in another order the two would wait for each other."""
    people = [make_person(f"Leaver{number}") for number in range(2)]
    with CaptureQueriesContext(connection) as queries:
        if how == "one":
            admin_client.post(f"{PEOPLE}{people[0].pk}/delete/", {"post": "yes"})
        else:
            fields = {"action": "delete_selected", "post": "yes"}
            admin_client.post(
                PEOPLE, {**fields, "_selected_action": [person.pk for person in people]}
            )
    assert User.objects.filter(display_name__startswith="Leaver").count() == (how == "one")
    if connection.vendor == "sqlite":  # One writer at a time.
        return
    statements = [query["sql"] for query in queries]
    locking = [number for number, sql in enumerate(statements) if sql.endswith("FOR UPDATE")]
    writes = ("UPDATE", "DELETE")
    first = next(number for number, sql in enumerate(statements) if sql.startswith(writes))
    assert locking[0] < first
    assert 'ORDER BY "accounts_user"."id" ASC' in statements[locking[0]]
