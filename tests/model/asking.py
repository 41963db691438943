"""Throws requests at every address, as every kind of person, and judges what they are answered."""

import json
import re
import traceback
from collections import Counter
from typing import Any
from uuid import uuid4

from django.core import mail
from django.core.signals import got_request_exception
from django.test import Client

from accounts.models import User
from messaging.tests.conversing import make_conversation
from tests.cast import make_listing, make_person
from tests.model.requests import Request, RequestMaker

REQUESTS_PER_CAST, SIGNED_IN_EVERY = 400, 20
# Only these may be out of order, and say so: without the database nobody is ready.
ALLOWED_FAILURES = ("/health/ready/",)
# The addresses that docs/protocol.md promises JSON for; elsewhere it may be a page, and allauth has
# a shape of its own.
PROMISED = re.compile("/(conversations?|seller|people)/|/listings/[^/]*/conversation/")
OTHER_SHAPE = "/accounts/"


class Asker:
    """People come and go: requests sign them out, change their passwords, erase them."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.counts: Counter[str] = Counter()
        self.doors: set[str] = set()
        self._raised: list[str] = []

    def ask(self, number: int) -> None:
        got_request_exception.connect(self._note)
        try:
            for first in range(0, number, REQUESTS_PER_CAST):
                self._ask_as_a_new_cast(first, min(REQUESTS_PER_CAST, number - first))
        finally:
            got_request_exception.disconnect(self._note)

    def _note(self, request: Any = None, **kwargs: Any) -> None:
        self._raised.append(traceback.format_exc())

    def _ask_as_a_new_cast(self, first: int, count: int) -> None:
        mail.outbox.clear()
        clients, people, values = make_cast()
        maker = RequestMaker(self._seed + first, values)
        for number in range(first, first + count):
            door = maker.doors[number % len(maker.doors)]
            name = maker.choose("staff" if door.path.startswith("/admin/") else "", list(clients))
            if number % SIGNED_IN_EVERY == 0:
                sign_in(clients, people)
            self.doors.add(door.path)
            self._ask(clients[name], name, maker.make(door))

    def _ask(self, client: Client, name: str, request: Request) -> None:
        response: Any = client.generic(
            request.method,
            request.path,
            request.body,
            request.content_type,
            headers=request.headers,
        )
        content = b"".join(response) if response.streaming else response.content
        response.close()
        self.counts["requests"] += 1
        self.counts[f"status {response.status_code}"] += 1
        self.counts[f"as {name}"] += 1
        check(request, response, content, self._raised)


def check(request: Request, response: Any, content: bytes, raised: list[str]) -> None:
    """Raises AssertionError for a failure, and for a refusal that is not in the shape for JSON."""
    path = request.path.partition("?")[0]
    assert not raised, f"{raised[0][-2500:]}\n{repr(request)[:600]}"
    assert response.status_code < 500 or path in ALLOWED_FAILURES, (request, response)
    is_json = response.headers.get("Content-Type", "").startswith("application/json")
    refused = response.status_code >= 400 and request.method != "HEAD"
    if not (refused and request.wants_json) or path.startswith(OTHER_SHAPE):
        return
    if not is_json:
        assert not PROMISED.match(path), (request, response.status_code, content[:300])
        return
    body = json.loads(content)
    assert {"code", "detail"} <= body.keys(), (request, body)
    assert isinstance(body["code"], str), (request, body)
    assert isinstance(body["detail"], str), (request, body)


def sign_in(clients: dict[str, Client], people: dict[str, User]) -> None:
    """Once more: some requests have signed people out, or erased them."""
    for name, user in people.items():
        if User.objects.filter(pk=user.pk, is_active=True).exists():
            clients[name].force_login(user)


def make_cast() -> tuple[dict[str, Client], dict[str, User], dict[str, list[str]]]:
    """Everybody with a client of their own, and by name what an address may name."""
    mark = uuid4().hex[:8]
    people = {
        name: make_person(f"{name}{mark}", is_staff=name == "staff", is_superuser=name == "staff")
        for name in ("buyer", "seller", "stranger", "staff")
    }
    clients = {name: Client(raise_request_exception=False) for name in ("anonymous", *people)}
    sign_in(clients, people)
    listing = make_listing(people["seller"], f"Lamp {mark}")
    made = make_conversation(people["buyer"], people["seller"])
    path = f"/conversation/{made.pk}/new_message/"
    for name in ("buyer", "seller"):
        clients[name].post(path, {"message": f"From the {name}"})
    values = {
        "conversation_id": [str(made.pk), str(uuid4())],
        "sequence": ["1", "2", "3"],
        "user_id": [str(user.pk) for user in people.values()],
        "listing": [listing.slug],
        "slug": [listing.slug],
        "object_id": [str(listing.pk), str(made.pk), "1"],
        "uuid": [str(uuid4())],
    }
    return clients, people, values
