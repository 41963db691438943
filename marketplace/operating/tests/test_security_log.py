"""What decides over an account leaves one record: who and what, and no name or address."""

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount import signals as social_signals
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.test import Client

from accounts.models import User
from accounts.tests.signing_in import (
    LOG_IN,
    confirm_password,
    list_recovery_codes,
    open_browser,
    turn_on_app,
)
from marketplace.operating.tests.lines import Lines
from marketplace.privacy.services.erasure import erase, request_erasure
from tests.cast import PASSWORD

pytestmark = pytest.mark.django_db
PEOPLE = "/admin/accounts/user/"


def events(written: Lines) -> list[tuple[Any, ...]]:
    """Sentence, whose account, and of what kind, in their order."""
    lines = [json.loads(line) for line in written.lines]
    return [
        (line["message"], line["user"], line.get("kind", line.get("provider")))
        for line in lines
        if line["logger"] == "marketplace.security"
    ]


@pytest.mark.django_db(transaction=True)
def test_a_second_factor_on_new_codes_and_off(buyer: User, written: Lines) -> None:
    browser, me = open_browser(buyer), buyer.pk
    turn_on_app(browser)
    browser.post("/accounts/2fa/recovery-codes/generate/")
    browser.post("/accounts/2fa/totp/deactivate/")
    assert events(written) == [
        ("signed in", me, None),
        ("second factor added", me, "totp"),
        ("second factor added", me, "recovery_codes"),
        ("second factor made anew", me, "recovery_codes"),
        ("second factor removed", me, "totp"),
        ("second factor removed", me, "recovery_codes"),
    ]


def test_wrong_codes_and_used_ones(buyer: User, written: Lines) -> None:
    browser, me = open_browser(buyer), buyer.pk
    turn_on_app(browser)
    [code, *_] = list_recovery_codes(browser)
    written.lines.clear()
    thief = Client()
    thief.post(LOG_IN, {"login": buyer.email, "password": PASSWORD})
    for _ in range(3):
        thief.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert events(written) == [("second factor failed", me, "totp")] * 3
    assert "000000" not in "".join(written.lines)
    written.lines.clear()
    thief.post("/accounts/2fa/authenticate/", {"code": code})
    assert ("second factor used", me, "recovery_codes") in events(written)
    assert code not in "".join(written.lines)


def test_accounts_elsewhere(buyer: User, written: Lines) -> None:
    account = SocialAccount(user=buyer, provider="openid", uid="ines-elsewhere")
    social_signals.social_account_added.send(
        SocialLogin, request=None, sociallogin=SocialLogin(user=buyer, account=account)
    )
    social_signals.social_account_removed.send(SocialAccount, request=None, socialaccount=account)
    assert events(written) == [
        ("account elsewhere connected", buyer.pk, "openid"),
        ("account elsewhere removed", buyer.pk, "openid"),
    ]
    assert "ines-elsewhere" not in "".join(written.lines)


def test_deactivation_and_the_end_of_sessions(buyer: User, written: Lines) -> None:
    browser, me = open_browser(buyer), buyer.pk
    open_browser(buyer)
    confirm_password(browser)
    written.lines.clear()
    browser.post("/accounts/sessions/end-others/")
    assert events(written) == [("sessions ended", me, None)]
    written.lines.clear()
    browser.post("/accounts/deactivate/")
    assert events(written) == [("account deactivated", me, None), ("sessions ended", me, None)]


def test_erasure(buyer: User, written: Lines) -> None:
    asked = request_erasure(user=buyer)
    assert erase(erasure_id=asked.pk)
    assert events(written) == [
        ("erasure asked for", buyer.pk, None),
        ("account erased", buyer.pk, None),
    ]
    assert "Ana" not in "".join(written.lines)
    assert "ana@" not in "".join(written.lines)


def test_what_staff_do_to_accounts(buyer: User, staff: User, written: Lines) -> None:
    turn_on_app(open_browser(buyer))
    admin = open_browser(staff)
    done = {
        "deactivate": ["account deactivated", "sessions ended"],
        "reactivate": ["account reactivated"],
        "remove_second_factor": ["second factor removed by staff"],
    }
    for action, sentences in done.items():
        written.lines.clear()
        admin.post(PEOPLE, {"action": action, "_selected_action": [buyer.pk]})
        assert events(written) == [(sentence, buyer.pk, None) for sentence in sentences]
    assert not Authenticator.objects.exists()
    open_browser(buyer)
    written.lines.clear()
    admin.post(PEOPLE, {"action": "end_all_sessions", "_selected_action": [buyer.pk]})
    assert events(written) == [("sessions ended", buyer.pk, None)]
    written.lines.clear()
    fields = {"password1": "Wholly-new-77", "password2": "Wholly-new-77", "usable_password": "true"}
    admin.post(f"{PEOPLE}{buyer.pk}/password/", fields)
    assert events(written) == [("password set by staff", buyer.pk, None)]
    written.lines.clear()
    admin.post(f"{PEOPLE}{buyer.pk}/address/", {"email": "new@example.org"})
    assert events(written) == [("e-mail address replaced by staff", buyer.pk, None)]
    assert "Ana" not in "".join(written.lines)
