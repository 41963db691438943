"""Text that is made to hurt: markup that would run, and strings that take long to look at."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import User
from accounts.names import clean_display_name
from marketplace.listings.models import Listing
from messaging import fields
from messaging.exceptions import MessagingError
from messaging.models import Conversation
from messaging.services.conversations import start_conversation
from messaging.tests.browsing import JSON, Page, get_json, url
from messaging.text import normalise_body
from notifications.text import single_line
from tests.cast import make_listing, make_person

MARKUP = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>",
    "' autofocus onfocus=alert(1) x='",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "<a href=\"javascript:alert(1)\">here</a>",
    "javascript:alert(1)",
    "{{ 7*7 }}{% debug %}",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<style>*{display:none}</style>",
    "<!--<img src=\"--><img src=x onerror=alert(1)//\">",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\u2028<script>alert(1)</script>",
]  # fmt: skip


def say_all(listing: Listing, buyer: User) -> Conversation:
    receipt = start_conversation(
        listing=listing, buyer=buyer, body="\n".join(MARKUP), client_message_id=uuid4()
    )
    return Conversation.objects.get(pk=receipt.conversation_id)


@pytest.mark.django_db
def test_markup_is_text_on_every_page(client_of: Any, staff: User) -> None:
    """Body, title, text and both names are markup; each page says it and none runs it."""
    buyer, seller = make_person("Ana"), make_person("Sol")
    for person in (buyer, seller):
        User.objects.filter(pk=person.pk).update(display_name=MARKUP[1])
        person.refresh_from_db()
    listing = make_listing(seller, "Lamp")
    Listing.objects.filter(pk=listing.pk).update(title=MARKUP[0], text="\n".join(MARKUP))
    listing.refresh_from_db()
    conversation = say_all(listing, buyer)
    own = ["/", f"/listings/{listing.slug}/", "/conversations/", url(conversation)]
    pages = [(buyer, path) for path in own]
    pages += [(buyer, url(conversation, f"messages/1/{tail}/")) for tail in ("edit", "delete")]
    pages += [(buyer, url(conversation, "leave/")), (buyer, "/conversations/?q=%3Cscript%3E")]
    pages += [(seller, path) for path in ("/seller/", "/sell/", f"/sell/{listing.slug}/")]
    pages += [(seller, "/accounts/"), (seller, "/accounts/profile/")]
    admin = f"/admin/messaging/conversation/{conversation.pk}/"
    pages += [(staff, f"{admin}messages/"), (staff, f"{admin}participants/")]
    pages += [(staff, "/admin/listings/listing/"), (staff, "/admin/accounts/user/")]
    shown = ""
    for person, path in pages:
        answer = client_of(person).get(path)
        assert answer.status_code == 200, path
        page = Page(answer)
        assert page.dangers == [], path
        attributes = [name for _, found in page.elements for name in found]
        assert not {"onerror", "onload", "onfocus", "srcdoc"} & set(attributes), path
        assert "49" not in page.text_fields.get("message", "")
        shown += page.text
    assert all(line.strip() in shown for line in MARKUP[:7])  # Each was there to be shown.


@pytest.mark.django_db
def test_markup_in_json_is_json(
    listing: Listing, buyer: User, seller: User, client_of: Any
) -> None:
    conversation = say_all(listing, buyer)
    for path in (url(conversation, "messages/"), "/conversations/", "/conversations/?q=script"):
        answer = get_json(client_of(seller), path)
        assert answer.headers["Content-Type"] == JSON
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    body = get_json(client_of(seller), url(conversation, "messages/")).json()["results"][0]
    assert body["message"].splitlines()[0] == MARKUP[0]


# --- Strings that take long -----------------------------------------------------------------------

SIZE = 100_000
HOSTILE = {
    "letters": "a" * SIZE,
    "spaces": " " * SIZE + "x",
    "dots": "a." * (SIZE // 2),
    "ats": "a@" * (SIZE // 2),
    "dashes": "-" * SIZE + "!",
    "marks": "a" + "\u0301" * SIZE,
    "brackets": "[" * SIZE,
    "digits": "9" * SIZE,
    "line ends": "\r\n" * (SIZE // 2),
    "turns": "\u202e" * SIZE,
    "composed": "\ufdfa" * (SIZE // 3),
}
VALIDATORS: dict[str, Callable[[str], object]] = {
    "message": normalise_body,
    "name": clean_display_name,
    "header": single_line,
    "uuid": fields.parse_uuid,
    "number": lambda text: fields.read_number({"after": text}, "after"),
    "JSON": lambda text: fields.parse_object(f'{{"a":"{text}"}}'),
}


def count_steps(validate: Callable[[str], object], text: str) -> int:
    """The lines of Python that it takes. What a pattern does inside one line is not among them:
    `test_patterns.py` has those."""
    import sys

    steps = 0

    def count(frame: Any, event: str, argument: Any) -> Any:
        nonlocal steps
        steps += event == "line"
        return count

    sys.settrace(count)
    try:
        validate(text)
    except (ValidationError, MessagingError):
        pass
    finally:
        sys.settrace(None)
    return steps


@pytest.mark.parametrize("name", VALIDATORS)
def test_ten_times_the_text_takes_ten_times_the_work_at_most(name: str) -> None:
    for kind, text in HOSTILE.items():
        short = count_steps(VALIDATORS[name], text[: SIZE // 10])
        long = count_steps(VALIDATORS[name], text)
        assert long <= 15 * max(short, 1_000), kind


@pytest.mark.django_db
@pytest.mark.parametrize("kind", HOSTILE)
def test_every_form_refuses_what_is_far_too_long(kind: str, client: Client, buyer: User) -> None:
    text = HOSTILE[kind]
    for path, field in {
        "/accounts/login/": "login",
        "/accounts/password/reset/": "email",
        "/accounts/signup/": "email",
    }.items():
        answer = client.post(path, {field: text})
        assert answer.status_code in (200, 400, 429), path
    answer = client.get("/", {"q": text[:5000]})
    assert answer.status_code == 200
