"""The account's own page, its e-mail address, and the end of it."""

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client

from accounts.models import User
from accounts.tests.signing_in import (
    LOG_IN,
    confirm_password,
    is_signed_in,
    open_browser,
    read_mailed_code,
    turn_on_app,
)
from tests.cast import PASSWORD

EMAIL = "/accounts/email/"
CONFIRM = "/accounts/confirm-email/"
DEACTIVATE = "/accounts/deactivate/"
ADMIN = "/admin/accounts/user/"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(buyer: User) -> Client:
    return open_browser(buyer)


@pytest.fixture
def phone(buyer: User) -> Client:
    return open_browser(buyer)


# --- The page -----------------------------------------------------------------------------------


def test_everything_is_one_step_away(desk: Client) -> None:
    page = desk.get("/accounts/").content.decode()
    for path in ("profile/", "email/", "password/change/", "2fa/", "2fa/webauthn/", "sessions/",
                 "deactivate/"):  # fmt: skip
        assert f'href="/accounts/{path}"' in page, path
    assert 'href="/people/blocked/"' in page
    assert "Accounts elsewhere" not in page


def test_signed_out_people_are_asked_to_sign_in(client: Client) -> None:
    for path in ("/accounts/", DEACTIVATE, EMAIL):
        response = client.get(path)
        assert response.headers["Location"].startswith(LOG_IN), path


# --- E-mail address -----------------------------------------------------------------------------


def ask_for_address(browser: Client, address: str) -> None:
    confirm_password(browser)
    response = browser.post(EMAIL, {"email": address, "action_add": ""})
    assert response.headers["Location"] == CONFIRM


def test_a_new_address_counts_after_its_code_and_the_old_one_is_told(
    desk: Client, buyer: User
) -> None:
    ask_for_address(desk, "New@example.net")
    assert mail.outbox[-1].to == ["new@example.net"]
    buyer.refresh_from_db()
    assert buyer.email == "ana@example.com"
    desk.post(CONFIRM, {"code": read_mailed_code()})
    buyer.refresh_from_db()
    assert buyer.email == "new@example.net"
    told = mail.outbox[-1]
    assert told.to == ["ana@example.com"]
    assert told.subject == "Your e-mail address is changed"
    assert "new@example.net" in str(told.body)
    assert list(EmailAddress.objects.values_list("email", "verified")) == [
        ("new@example.net", True)
    ]


def test_changing_the_address_asks_for_the_password_first(desk: Client, buyer: User) -> None:
    response = desk.post(EMAIL, {"email": "new@example.net", "action_add": ""})
    assert response.headers["Location"].startswith("/accounts/reauthenticate/")
    assert mail.outbox == []


def test_the_address_of_somebody_else_answers_the_same_and_changes_nothing(
    desk: Client, buyer: User, stranger: User
) -> None:
    ask_for_address(desk, stranger.email)
    page = desk.get(CONFIRM)
    assert stranger.email in page.content.decode()
    [message] = mail.outbox
    assert message.to == [stranger.email]  # Only who reads their mail could learn of it.
    desk.post(CONFIRM, {"code": read_mailed_code()})
    buyer.refresh_from_db()
    stranger.refresh_from_db()
    assert (buyer.email, stranger.email) == ("ana@example.com", "teo@example.com")


def test_a_code_bears_three_guesses_whatever_the_session_counts(desk: Client) -> None:
    ask_for_address(desk, "new@example.net")
    code = read_mailed_code()
    session = desk.session
    before = session["account_email_verification_code"]
    for _ in range(3):
        desk.post(CONFIRM, {"code": "WRONGX"})
        session = desk.session
        session["account_email_verification_code"] = before  # As tries at once would find it.
        session.save()
    desk.post(CONFIRM, {"code": code})
    assert User.objects.get().email == "ana@example.com"


# --- Deactivation -------------------------------------------------------------------------------


def test_deactivation_ends_every_session_and_every_way_in(
    desk: Client, phone: Client, buyer: User
) -> None:
    keys = [str(browser.session.session_key) for browser in (desk, phone)]
    assert desk.get(DEACTIVATE).headers["Location"].startswith("/accounts/reauthenticate/")
    confirm_password(desk)
    assert desk.get(DEACTIVATE).status_code == 200
    response = desk.post(DEACTIVATE, follow=True)
    assert "Account closed" in response.content.decode()
    buyer.refresh_from_db()
    assert not buyer.is_active
    assert not Session.objects.filter(session_key__in=keys).exists()
    assert not UserSession.objects.exists()
    assert not is_signed_in(desk)
    assert not is_signed_in(phone)
    assert not is_signed_in(open_browser(buyer))
    assert mail.outbox[-1].subject == "Your account is deactivated"
    mail.outbox.clear()
    Client().post("/accounts/password/reset/", {"email": buyer.email})
    assert not any("/reset/key/" in str(message.body) for message in mail.outbox)


def test_looking_at_the_page_deactivates_nobody(desk: Client, buyer: User) -> None:
    confirm_password(desk)
    desk.get(DEACTIVATE)
    assert is_signed_in(desk)


# --- The admin ----------------------------------------------------------------------------------


def act(browser: Client, action: str, *people: User) -> int:
    fields = {"action": action, "_selected_action": [person.pk for person in people]}
    return browser.post(ADMIN, fields).status_code


def test_staff_end_all_sessions_of_a_person(desk: Client, buyer: User, staff: User) -> None:
    admin = open_browser(staff)
    key = str(desk.session.session_key)
    assert act(admin, "end_all_sessions", buyer) == 302
    assert not Session.objects.filter(session_key=key).exists()
    assert not is_signed_in(desk)
    assert is_signed_in(admin)
    entry = LogEntry.objects.get()
    assert (entry.user_id, entry.object_id) == (staff.pk, str(buyer.pk))
    assert "Ended all sessions" in entry.get_change_message()


def test_staff_deactivate_and_reactivate(desk: Client, buyer: User, staff: User) -> None:
    admin = open_browser(staff)
    act(admin, "deactivate", buyer, staff)
    assert not is_signed_in(desk)
    assert is_signed_in(admin)  # Nobody deactivates themselves by ticking one box too many.
    act(admin, "reactivate", buyer)
    assert is_signed_in(open_browser(buyer))
    assert LogEntry.objects.count() == 2


def test_staff_remove_a_lost_second_factor(desk: Client, buyer: User, staff: User) -> None:
    turn_on_app(desk)
    act(open_browser(staff), "remove_second_factor", buyer)
    assert not is_signed_in(desk)
    assert is_signed_in(open_browser(buyer))


def test_people_and_lesser_staff_cannot(buyer: User, seller: User, staff: User) -> None:
    assert act(open_browser(buyer), "end_all_sessions", seller) in {302, 403}
    User.objects.filter(pk=buyer.pk).update(is_staff=True)
    buyer.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    lesser, admin = open_browser(buyer), open_browser(staff)
    act(lesser, "end_all_sessions", staff)
    assert is_signed_in(admin)
    form = lesser.get(f"{ADMIN}{buyer.pk}/change/").content.decode()
    assert 'name="display_name"' in form
    assert 'name="is_superuser"' not in form
    lesser.post(f"{ADMIN}{staff.pk}/password/", {"password1": PASSWORD, "password2": PASSWORD})
    assert is_signed_in(admin)


def test_the_admin_shows_no_secrets(staff: User) -> None:
    page = open_browser(staff).get("/admin/").content.decode()
    assert "/admin/accounts/user/" in page
    for path in ("mfa/authenticator", "socialaccount/socialapp", "usersessions/"):
        assert f"/admin/{path}" not in page
