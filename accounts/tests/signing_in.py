"""Codes, devices and second tries for tests of the account pages."""

import re
import time

import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tests.cast import PASSWORD

LOG_IN = "/accounts/login/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/131.0.0.0 Mobile Safari/537.36"
)
CODE = re.compile(r"^[A-Z0-9]{3,4}-?[A-Z0-9]{3,4}$", re.MULTILINE)


def open_browser(user: User, *, agent: str = FIREFOX, address: str = "203.0.113.7") -> Client:
    """Signed in by the form, as the password alone does it."""
    client = Client(headers={"User-Agent": agent}, REMOTE_ADDR=address)
    client.post(LOG_IN, {"login": user.email, "password": PASSWORD})
    return client


def is_signed_in(client: Client) -> bool:
    """Asks the door, not the session: it lets nobody in whose session is gone."""
    return client.get("/accounts/profile/").status_code == 200


def confirm_password(client: Client, password: str = PASSWORD) -> int:
    return client.post("/accounts/reauthenticate/", {"password": password}).status_code


def read_mailed_code() -> str:
    found = CODE.search(str(mail.outbox[-1].body))
    assert found, mail.outbox[-1].body
    return found[0]


def app_code(secret: str) -> str:
    """What an authenticator app shows now."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def submit_app(client: Client, secret: str) -> int:
    """While the clock stands: its half minute may end in the middle of a request."""
    with time_machine.travel(timezone.now(), tick=False):
        code = {"code": app_code(secret)}
        return client.post("/accounts/2fa/totp/activate/", code).status_code


def turn_on_app(client: Client) -> str:
    """By the pages, the password confirmed. The secret that the app keeps."""
    confirm_password(client)
    page = client.get("/accounts/2fa/totp/activate/")
    secret = str(page.context["form"].secret)
    assert submit_app(client, secret) == 302
    assert Authenticator.objects.filter(type=Authenticator.Type.TOTP).exists()
    return secret


def list_recovery_codes(client: Client) -> list[str]:
    return list(client.get("/accounts/2fa/recovery-codes/").context["unused_codes"])
