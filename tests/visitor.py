"""A person at the doors of the live marketplace, with nothing but HTTP and cookies."""

import http.cookiejar
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from tests.cast import PASSWORD
from tests.live import Live


class Visitor:
    """Signed in. What is answered is returned as it is, refusals too; no answer is an OSError."""

    def __init__(self, live: Live, email: str) -> None:
        self.live = live
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        self.sign_in(email)

    def sign_in(self, email: str) -> None:
        self.open("/accounts/login/")
        fields = {"login": email, "password": PASSWORD, "csrfmiddlewaretoken": self.token}
        self.open("/accounts/login/", urllib.parse.urlencode(fields).encode())
        assert self.cookie("sessionid"), f"{email} could not sign in"

    def cookie(self, name: str) -> str:
        return next((str(cookie.value) for cookie in self.cookies if cookie.name == name), "")

    @property
    def token(self) -> str:
        return self.cookie("csrftoken")

    @property
    def cookie_header(self) -> str:
        """For a socket's handshake."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.cookies)

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        return as_json(*self.open(path, headers={"Accept": "application/json"}))

    def post(self, path: str, **fields: object) -> tuple[int, dict[str, Any]]:
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "X-CSRFToken": self.token,
        }
        return as_json(*self.open(path, json.dumps(fields).encode(), headers))

    def open(
        self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        request = urllib.request.Request(self.live.url + path, data=body, headers=headers or {})
        try:
            with self.opener.open(request, timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read()


def as_json(status: int, body: bytes) -> tuple[int, dict[str, Any]]:
    try:
        content: dict[str, Any] = json.loads(body)
    except ValueError:
        content = {}
    return status, content
