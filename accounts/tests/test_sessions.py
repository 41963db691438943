"""Where somebody is signed in, and how that ends."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.devices import describe_device, shorten_address
from accounts.holding import in_session
from accounts.middleware import LastSeenMiddleware
from accounts.models import User
from accounts.tests.signing_in import FIREFOX, LOG_IN, PHONE, is_signed_in, open_browser

SESSIONS = "/accounts/sessions/"
NAVIGATION = {"Sec-Fetch-Mode": "navigate"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(buyer: User) -> Client:
    return open_browser(buyer)


@pytest.fixture
def phone(buyer: User) -> Client:
    return open_browser(buyer, agent=PHONE, address="2001:db8:85a3::8a2e:370:7334")


def row_of(browser: Client) -> UserSession:
    return UserSession.objects.get(session_key=browser.session.session_key)


def key_of(browser: Client) -> str:
    return str(browser.session.session_key)


def test_the_list_names_devices_and_shortens_addresses(desk: Client, phone: Client) -> None:
    response = desk.get(SESSIONS)
    own, other = response.context["sessions"]
    assert (own["device"], own["place"], own["is_own"]) == ("Firefox on Windows", "203.0.…", True)
    assert (other["device"], other["place"]) == ("Chrome on Android", "2001:db8:…")
    page = response.content.decode()
    assert "Chrome on Android" in page
    assert "203.0.113.7" not in page
    assert "8a2e" not in page


def test_the_list_costs_the_same_for_many(
    desk: Client, buyer: User, django_assert_num_queries: Any
) -> None:
    for _ in range(5):
        open_browser(buyer)
    with django_assert_num_queries(5):
        desk.get(SESSIONS)


def test_one_session_is_ended_from_another(desk: Client, phone: Client) -> None:
    key = key_of(phone)
    response = desk.post(f"{SESSIONS}{row_of(phone).pk}/end/")
    assert response.headers["Location"] == SESSIONS
    assert not Session.objects.filter(session_key=key).exists()
    assert not is_signed_in(phone)
    assert is_signed_in(desk)


def test_all_others_are_ended_at_once(desk: Client, phone: Client, buyer: User) -> None:
    third = open_browser(buyer)
    keys = [key_of(phone), key_of(third)]
    desk.post(f"{SESSIONS}end-others/")
    assert not Session.objects.filter(session_key__in=keys).exists()
    assert [is_signed_in(browser) for browser in (desk, phone, third)] == [True, False, False]


def test_ending_ones_own_is_signing_out(desk: Client) -> None:
    key = key_of(desk)
    desk.post(f"{SESSIONS}{row_of(desk).pk}/end/")
    assert not Session.objects.filter(session_key=key).exists()
    assert not is_signed_in(desk)


def test_log_out_ends_that_session_and_no_other(desk: Client, phone: Client) -> None:
    key = key_of(desk)
    desk.post("/accounts/logout/")
    assert not Session.objects.filter(session_key=key).exists()
    assert is_signed_in(phone)
    assert len(phone.get(SESSIONS).context["sessions"]) == 1


def test_a_stranger_ends_and_sees_nothing_of_it(desk: Client, stranger: User) -> None:
    teo = open_browser(stranger)
    assert teo.post(f"{SESSIONS}{row_of(desk).pk}/end/").status_code == 404
    assert teo.post(f"{SESSIONS}999999/end/").status_code == 404
    teo.post(f"{SESSIONS}end-others/")
    assert is_signed_in(desk)
    assert [row["is_own"] for row in teo.get(SESSIONS).context["sessions"]] == [True]


@pytest.mark.parametrize("path", [SESSIONS, f"{SESSIONS}1/end/", f"{SESSIONS}end-others/"])
def test_signed_out_people_are_asked_to_sign_in(client: Client, path: str) -> None:
    for response in (client.get(path), client.post(path)):
        assert response.status_code in {302, 405}
        assert response.headers.get("Location", LOG_IN).startswith(LOG_IN)


def test_a_link_ends_nothing(desk: Client, phone: Client) -> None:
    assert desk.get(f"{SESSIONS}{row_of(phone).pk}/end/").status_code == 405
    assert desk.get(f"{SESSIONS}end-others/").status_code == 405
    assert is_signed_in(phone)


def test_a_page_counts_as_seen_but_once_in_a_while(desk: Client) -> None:
    LastSeenMiddleware.noted.clear()
    later = timezone.now() + timedelta(hours=2)
    with time_machine.travel(later, tick=False):
        desk.get("/accounts/profile/")
        assert row_of(desk).last_seen_at < later
        desk.get("/accounts/profile/", headers=NAVIGATION)
        assert row_of(desk).last_seen_at == later
    with time_machine.travel(later + timedelta(seconds=30), tick=False):
        desk.get("/accounts/profile/", headers=NAVIGATION)
    assert row_of(desk).last_seen_at == later


def test_a_session_from_before_the_list_is_noted_when_it_opens_a_page(
    client: Client, buyer: User
) -> None:
    client.force_login(buyer)
    UserSession.objects.all().delete()
    client.get("/accounts/profile/", headers=NAVIGATION | {"User-Agent": FIREFOX})
    assert row_of(client).user_agent == FIREFOX


def test_changing_the_password_ends_the_others_and_tells_by_mail(
    desk: Client, phone: Client, buyer: User
) -> None:
    keys = [key_of(phone)]
    new = "quite another phrase 9"
    fields = {"oldpassword": "a long trato password", "password1": new, "password2": new}
    response = desk.post("/accounts/password/change/", fields)
    assert response.headers["Location"] == "/accounts/"
    assert is_signed_in(desk)
    assert not is_signed_in(phone)
    assert not Session.objects.filter(session_key__in=keys).exists()
    [message] = mail.outbox
    assert message.to == [buyer.email]
    assert message.subject == "Your password is changed"
    [html] = message.alternatives  # type: ignore[attr-defined]
    for body in (str(message.body), str(html.content)):
        assert "Firefox on Windows" in body
        assert "203.0.…" in body
        assert "203.0.113.7" not in body
    assert len(desk.get(SESSIONS).context["sessions"]) == 1


def test_a_wrong_old_password_changes_nothing(desk: Client, phone: Client) -> None:
    fields = {"oldpassword": "wrong", "password1": "another 12345", "password2": "another 12345"}
    page = desk.post("/accounts/password/change/", fields)
    assert "This is not your password" in page.content.decode()
    assert is_signed_in(phone)
    assert mail.outbox == []


def test_a_forgotten_password_chosen_anew_ends_every_session(
    desk: Client, phone: Client, buyer: User, client: Client
) -> None:
    client.post("/accounts/password/reset/", {"email": buyer.email})
    link = re.search(r"(/accounts/password/reset/key/\S+)", str(mail.outbox[-1].body))
    assert link
    form = client.get(link[1], follow=True).redirect_chain[-1][0]
    new = "quite another phrase 9"
    client.post(form, {"password1": new, "password2": new})
    assert not is_signed_in(desk)
    assert not is_signed_in(phone)
    assert not UserSession.objects.exists()
    assert mail.outbox[-1].subject == "Your password is changed"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (PHONE, "Chrome on Android"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like "
            "Gecko) Version/18.1 Safari/605.1.15",
            "Safari on macOS",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
            "like Gecko) CriOS/131.0 Mobile/15E148 Safari/604.1",
            "Chrome on iPhone",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/131.0 Safari/537.36 Edg/131.0", "Edge on Linux"),
        ("curl/8.9", "a device that does not say what it is"),
        ("", "a device that does not say what it is"),
    ],
)
def test_devices_in_words(agent: str, words: str) -> None:
    assert describe_device(agent) == words


@pytest.mark.parametrize(
    ("address", "short"),
    [
        ("203.0.113.7", "203.0.…"),
        ("2001:db8:85a3::7334", "2001:db8:…"),
        ("::ffff:203.0.113.7", "203.0.…"),
        ("nonsense", ""),
    ],
)
def test_addresses_are_cut(address: str, short: str) -> None:
    assert shorten_address(address) == short


def test_a_session_that_is_just_being_written_stays_on_the_list(buyer: User, desk: Client) -> None:
    """A sign-in writes allauth's row before what its own session holds."""
    phone = open_browser(buyer, agent=PHONE)
    session = Session.objects.get(session_key=key_of(phone))
    whole = session.session_data
    Session.objects.filter(pk=session.pk).update(session_data=desk.session.encode({}))
    assert len(desk.get(SESSIONS).context["sessions"]) == 1
    Session.objects.filter(pk=session.pk).update(session_data=whole)
    assert len(desk.get(SESSIONS).context["sessions"]) == 2
    desk.post(f"{SESSIONS}end-others/")
    assert not is_signed_in(phone)


def test_a_session_of_an_earlier_secret_key_is_listed_and_ended(
    buyer: User, desk: Client, phone: Client, settings: Any
) -> None:
    """It has opened no page since, so that it still carries the hash by the key of before."""
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 10
    row = row_of(phone).pk
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        shown = desk.get(SESSIONS).context["sessions"]
        assert row in [session["id"] for session in shown]
        assert UserSession.objects.filter(pk=row).exists()
        assert hold_once(buyer, phone)
        desk.post(f"{SESSIONS}end-others/")
        assert not hold_once(buyer, phone)
    assert not is_signed_in(phone)
    assert is_signed_in(desk)


def hold_once(user: User, browser: Client) -> bool:
    """Whether a session that is as it was opened may write for this person."""
    request = RequestFactory().post("/")
    request.session, request.user = browser.session, user
    try:
        with in_session(request):
            return True
    except ImmediateHttpResponse:
        return False


def test_a_row_whose_session_is_gone_goes_after_a_minute(buyer: User, desk: Client) -> None:
    phone = open_browser(buyer, agent=PHONE)
    Session.objects.filter(session_key=key_of(phone)).delete()
    desk.get(SESSIONS)
    assert UserSession.objects.count() == 2
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        desk.get(SESSIONS)
    assert UserSession.objects.count() == 1
