"""Who gets to a conversation: its participants. To all others it does not exist."""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.test.client import MULTIPART_CONTENT
from django.utils import timezone

from messaging import urls
from messaging.models import Conversation, Message, Participant
from messaging.tests.browsing import JSON, get_json, post_json, url
from messaging.tests.crowd import ask, change_place, make_listing

# Every URL that names a conversation, with what makes its participant succeed.
ROUTES: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "", {}),
    ("GET", "messages/", {}),
    ("GET", "messages/?after=0", {}),
    ("GET", "messages/?before=2", {}),
    ("POST", "new_message/", {"message": "Hello"}),
    ("POST", "read/", {"sequence": 1}),
    ("GET", "messages/1/edit/", {}),
    ("POST", "messages/1/edit/", {"message": "Something else"}),
    ("GET", "messages/1/delete/", {}),
    ("POST", "messages/1/delete/", {}),
    ("POST", "archive/", {"on": "1"}),
    ("POST", "star/", {"on": "1"}),
    ("POST", "mute/", {"on": "1"}),
    ("GET", "leave/", {}),
    ("POST", "leave/", {}),
]
# A page that asks, and the form on it.
BOTH_METHODS = {"messages/1/edit/", "messages/1/delete/", "leave/"}
MALFORMED = ["7", "x" * 36, "0" * 31, "0" * 33, "%00", "é", "..", "00000000-0000-0000-0000-", "a b"]
SECRET = "Is it still there?"
OF_ONE_REQUEST = {"Content-Length", "X-Request-ID"}

each_route = pytest.mark.parametrize(
    ("method", "tail", "body"), ROUTES, ids=[f"{method} {tail}" for method, tail, _ in ROUTES]
)
as_page_or_json = pytest.mark.parametrize("accept", ["text/html", JSON])


def ask_for(client: Client, method: str, path: str, body: dict[str, Any], accept: str) -> Any:
    if method == "GET":
        return client.get(path, headers={"Accept": accept})
    content_type = JSON if accept == JSON else MULTIPART_CONTENT
    return client.post(path, body, content_type=content_type, headers={"Accept": accept})


def without_token(response: Any, *also: str) -> str:
    """The body without what differs from one request to the next."""
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())
    for word in also:
        text = text.replace(word, "")
    return text


def test_each_url_of_a_conversation_is_among_them() -> None:
    before = "conversation/<str:conversation_id>/"
    paths = [str(each.pattern) for each in urls.urlpatterns]
    tails = {path.removeprefix(before) for path in paths if path.startswith(before)}
    tails = {tail.replace("<str:sequence>", "1") for tail in tails}
    assert tails == {tail.partition("?")[0] for _, tail, _ in ROUTES}


@each_route
@as_page_or_json
def test_a_strangers_conversation_looks_like_none(
    method: str,
    tail: str,
    body: dict[str, Any],
    accept: str,
    conversation: Conversation,
    buyer: Any,
    stranger: Any,
    client_of: Callable[[Any], Client],
) -> None:
    path = f"/conversation/%s/{tail}"
    own = ask_for(client_of(buyer), method, path % conversation.pk, body, accept)
    assert own.status_code in (200, 201, 303)

    teo, missing = client_of(stranger), uuid4()
    answers = [
        ask_for(teo, method, path % key, body, accept)
        for key in (conversation.pk, missing, *MALFORMED)
    ]

    assert [answer.status_code for answer in answers] == [404] * len(answers)
    names = [str(conversation.pk), str(missing), *MALFORMED, "%C3%A9", "%20", "a%20b", "\x00"]
    ids = [str(answer.headers.get("X-Request-ID")) for answer in answers]
    assert len({without_token(answer, *names, *ids) for answer in answers[:2]}) == 1
    headers = [
        {name: value for name, value in answer.headers.items() if name not in OF_ONE_REQUEST}
        for answer in answers
    ]
    assert all(found == headers[0] for found in headers)
    if accept == JSON:
        assert {answer.content for answer in answers} == {answers[0].content}
        assert set(answers[0].json()) == {"code", "detail"}
        assert answers[0].json()["code"] == "not_found"
    else:
        assert answers[0].templates[0].name == "404.html"  # Like every page that is missing.
    assert SECRET not in answers[0].content.decode()


@each_route
@pytest.mark.parametrize("who", ["staff", "left"])
def test_neither_staff_nor_who_left_is_a_participant(
    method: str,
    tail: str,
    body: dict[str, Any],
    who: str,
    conversation: Conversation,
    buyer: Any,
    staff: Any,
    client_of: Callable[[Any], Client],
) -> None:
    if who == "left":
        change_place(buyer, conversation, left_at=timezone.now())
    client = client_of(staff if who == "staff" else buyer)
    assert ask_for(client, method, url(conversation, tail), body, JSON).status_code == 404


@pytest.mark.parametrize("tail", ["new_message/", "read/", "messages/1/edit/", "archive/"])
@pytest.mark.parametrize("body", ["{", "[]", '{"message": 7}', "\x00"])
def test_a_stranger_learns_nothing_from_a_broken_body(
    tail: str, body: str, conversation: Conversation, stranger: Any, buyer: Any, client_of: Any
) -> None:
    def answer(user: Any, key: Any) -> Any:
        path = f"/conversation/{key}/{tail}"
        return client_of(user).post(path, body, content_type=JSON, headers={"Accept": JSON})

    assert answer(buyer, conversation.pk).status_code == 400
    foreign, missing = answer(stranger, conversation.pk), answer(stranger, uuid4())
    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert foreign.content == missing.content


# --- Signed out -----------------------------------------------------------------------------------


@each_route
def test_json_signed_out_is_401_for_every_id(
    method: str, tail: str, body: dict[str, Any], conversation: Conversation, client: Client
) -> None:
    answers = [
        ask_for(client, method, f"/conversation/{key}/{tail}", body, JSON)
        for key in (conversation.pk, uuid4(), "7")
    ]
    assert [answer.status_code for answer in answers] == [401] * 3
    assert {answer.content for answer in answers} == {answers[0].content}
    assert answers[0].json()["code"] == "unauthenticated"
    assert Message.objects.count() == 1


@pytest.mark.parametrize(
    "path", ["/conversations/?role=buyer", "/seller/", "/conversation/7/?before=9"]
)
def test_a_page_signed_out_leads_to_log_in_and_back(path: str, client: Client, db: None) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/accounts/login/?next=/")
    assert client.get(response.headers["Location"]).context["redirect_field_value"] == path
    assert get_json(client, path).status_code == 401


@pytest.mark.parametrize(
    ("tail", "body"),
    [("new_message/", {"message": "x"}), ("read/", {}), ("star/", {"on": "1"})]
    + [("messages/1/edit/", {"message": "x"}), ("messages/1/delete/", {})],
)
def test_a_form_signed_out_leads_back_to_the_thread(
    tail: str, body: dict[str, str], conversation: Conversation, client: Client
) -> None:
    response = client.post(url(conversation, tail), body)
    assert response.headers["Location"] == f"/accounts/login/?next={url(conversation)}"
    assert Message.objects.count() == 1


# --- Methods, CSRF, caches ------------------------------------------------------------------------


@each_route
def test_the_other_method_is_not_allowed(
    method: str,
    tail: str,
    body: dict[str, Any],
    conversation: Conversation,
    buyer: Any,
    client: Client,
    client_of: Callable[[Any], Client],
) -> None:
    other = "POST" if method == "GET" else "GET"
    for someone in (client_of(buyer), client):
        for accept in ("text/html", JSON) if tail not in BOTH_METHODS else ():
            response = ask_for(someone, other, url(conversation, tail), {}, accept)
            assert response.status_code == 405
    for verb in ("put", "patch", "delete"):
        assert getattr(client, verb)(url(conversation, tail)).status_code == 405


@pytest.mark.parametrize(
    "tail", ["new_message/", "read/", "start", "messages/1/edit/", "archive/", "star/", "mute/"]
)
def test_forms_and_json_need_the_token(
    tail: str, conversation: Conversation, buyer: Any, listing: Any
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(buyer)
    path = (
        "/listings/walnut-sideboard/conversation/" if tail == "start" else url(conversation, tail)
    )
    body = {"message": "Hello", "sequence": "1", "on": "1"}
    client.get(url(conversation))
    token = client.cookies["csrftoken"].value

    assert client.post(path, body).status_code == 403
    assert client.post(path, {**body, "csrfmiddlewaretoken": "x" * 64}).status_code == 403
    refused = post_json(client, path, **body)
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
    # What a page elsewhere can send without asking first.
    assert client.post(path, '{"message": "x"}', content_type="text/plain").status_code == 403
    assert Message.objects.count() == 1

    assert client.post(path, {**body, "csrfmiddlewaretoken": token}).status_code == 303
    headers = {"Accept": JSON, "X-CSRFToken": token}
    answer = client.post(path, body, content_type=JSON, headers=headers)
    assert answer.status_code in (200, 201)


@pytest.mark.parametrize("path", ["/conversations/", "/seller/", "", "messages/"])
def test_no_cache_keeps_a_private_page(
    path: str, conversation: Conversation, buyer: Any, client_of: Any
) -> None:
    path = path if path.startswith("/") else url(conversation, path)
    for accept in ("*/*", JSON):
        response = client_of(buyer).get(path, headers={"Accept": accept})
        assert response.headers["Cache-Control"] == "private, no-store"
        assert {"Accept", "Cookie"} <= set(response.headers["Vary"].split(", "))


# --- Foreign ids elsewhere than in the path -------------------------------------------------------


@pytest.fixture
def others(seller: Any, stranger: Any) -> Conversation:
    """Of seller and stranger, about another listing."""
    return ask(make_listing(seller, "Brass lamp"), stranger, "A secret of Teo")


def test_only_the_path_says_which_conversation(
    conversation: Conversation, others: Conversation, buyer: Any, client_of: Any
) -> None:
    ana = client_of(buyer)
    body = {"message": "Hello", "conversation": str(others.pk), "sender": 1, "sequence": 99}
    query = f"?conversation={others.pk}"
    answer = post_json(ana, url(conversation, f"new_message/{query}"), **body)
    assert answer.json()["conversation"] == str(conversation.pk)
    assert (answer.json()["sequence"], others.messages.count()) == (2, 1)
    post_json(ana, url(conversation, f"read/{query}"), sequence=1, conversation=str(others.pk))
    post_json(ana, url(conversation, f"messages/1/edit/{query}"), **body)
    post_json(ana, url(conversation, f"star/{query}"), on=1, conversation=str(others.pk))
    assert others.messages.get().revision == 1
    assert not Participant.objects.filter(conversation=others, starred=True).exists()
    assert not Participant.objects.filter(conversation=others, read_sequence__gt=0).exists()
    path = f"{url(others)}?conversation={conversation.pk}"
    assert get_json(ana, path).status_code == 404


@pytest.mark.parametrize("extra", ["kind", "created_at", "revision", "edited_at", "username", "id"])
def test_nothing_else_of_a_message_can_be_set(
    extra: str, conversation: Conversation, buyer: Any, client_of: Any
) -> None:
    before = timezone.now()
    body = {"message": "Hello", extra: "system" if extra == "kind" else "2001-01-01T00:00:00Z"}
    answer = post_json(client_of(buyer), url(conversation, "new_message/"), **body)
    assert answer.status_code == 201
    message = Message.objects.get(pk=answer.json()["id"])
    assert (message.kind, message.revision, message.edited_at) == ("text", 2, None)
    assert message.created_at >= before
    assert message.sender.name == "Ana"  # type: ignore[union-attr]


@pytest.mark.parametrize("query", ["", "?q=secret", "?listing=brass-lamp", "?q=Teo", "?role=buyer"])
def test_an_inbox_has_only_ones_own(
    query: str, conversation: Conversation, others: Conversation, buyer: Any, client_of: Any
) -> None:
    ana = client_of(buyer)
    for path in ("/conversations/", "/seller/"):
        found = {row["conversation"] for row in get_json(ana, path + query).json()["results"]}
        assert found <= {str(conversation.pk)}
        assert "A secret" not in ana.get(path + query).content.decode()
    assert len(get_json(ana, "/conversations/").json()["results"]) == 1


def test_a_cursor_of_somebody_else_shows_nothing_of_theirs(
    conversation: Conversation, others: Conversation, buyer: Any, client_of: Any
) -> None:
    from messaging.selectors.inbox import _encode

    cursor = _encode(timezone.now(), 2**62)
    rows = get_json(client_of(buyer), "/conversations/", cursor=cursor).json()["results"]
    assert [row["conversation"] for row in rows] == [str(conversation.pk)]
