"""Somebody at the shop's own door: a username and a password."""

from typing import Any
from urllib.parse import urlencode

from tests.visitor import Visitor

PASSWORD = "a long password"


class Customer(Visitor):
    def __init__(self, shop: Any, username: str) -> None:
        super().__init__(shop, username)

    def sign_in(self, email: str) -> None:
        """By the name that stands where Trato's own people have an address."""
        self.open("/door/login/")
        fields = {"username": email, "password": PASSWORD, "csrfmiddlewaretoken": self.token}
        self.open("/door/login/", urlencode(fields).encode())
        assert self.cookie("sessionid"), f"{email} could not sign in"
