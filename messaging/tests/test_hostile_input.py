"""Whatever is sent, the answer is an answer: refused with a code, never a failure.

The client of these tests raises what a server would answer with 500.
"""

import json
from typing import Any

import pytest
from django.test import Client

from messaging.models import Conversation, Message, Participant
from messaging.tests.browsing import JSON, get_json, post_json, url

FORM = "application/x-www-form-urlencoded"
LONE_SURROGATE = '{"message": "a\\ud800b"}'
# What cannot be used, and the codes that may say so.
JSON_BODIES: dict[str, tuple[bytes, set[str]]] = {
    "nothing": (b" ", {"invalid_json"}),
    "half": (b'{"message": "x"', {"invalid_json"}),
    "text": (b"message=x", {"invalid_json"}),
    "invalid utf-8": (b'{"message": "\xff\xfe"}', {"invalid_json"}),
    "a raw surrogate": (b'{"message": "\xed\xa0\x80"}', {"invalid"}),
    "NUL": (b"\x00", {"invalid_json"}),
    "a control character": (b'{"message": "a\x01b"}', {"invalid_json"}),
    "NaN": (b'{"message": NaN}', {"invalid_json"}),
    "a list": (b"[]", {"invalid"}),
    "a number": (b"7", {"invalid"}),
    "null": (b"null", {"invalid"}),
    "a text": (b'"x"', {"invalid"}),
    "an empty object": (b"{}", {"invalid"}),
    "null as message": (b'{"message": null, "sequence": null}', {"invalid"}),
    "an object as message": (b'{"message": {"message": "x"}}', {"invalid"}),
    "a lone surrogate": (LONE_SURROGATE.encode(), {"invalid"}),
    "5,000 digits": (b'{"message": ' + b"7" * 5_000 + b"}", {"invalid"}),
    "100,000 brackets": (b"[" * 100_000, {"invalid", "invalid_json"}),
    "100,000 objects": (b'{"a":' * 50_000, {"invalid", "invalid_json"}),
    "300 KB": (json.dumps({"message": "x" * 300_000}).encode(), {"too_long"}),
    "250 KB": (json.dumps({"message": "x" * 250_000}).encode(), {"too_long"}),
}
PATHS = ["start", "new_message/", "read/"]
ODD_IDS = ["%00", "%ff", "%ED%A0%80", "%0a", "x" * 5_000, "%F0%9F%AA%91", "'--", "%7B%7B7%7D%7D"]


@pytest.fixture
def ana(conversation: Conversation, buyer: Any, client_of: Any) -> Client:
    client: Client = client_of(buyer)
    return client


def path_of(name: str, conversation: Conversation) -> str:
    start = "/listings/walnut-sideboard/conversation/"
    return start if name == "start" else url(conversation, name)


def post_raw(client: Client, path: str, body: bytes, content_type: str, accept: str) -> Any:
    return client.generic("POST", path, body, content_type, headers={"Accept": accept})


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("body", JSON_BODIES)
def test_a_broken_body_is_refused_with_a_code(
    name: str, body: str, ana: Client, conversation: Conversation, buyer: Any
) -> None:
    path = path_of(name, conversation)
    raw, codes = JSON_BODIES[body]
    answer = post_raw(ana, path, raw, JSON, JSON)
    assert answer.status_code == 400
    # Where `message` is not looked at, what is missing is `sequence`.
    assert answer.json()["code"] in codes | ({"invalid"} if name == "read/" else set())
    page = post_raw(ana, path, raw, JSON, "*/*")
    assert (page.status_code, page.headers["Content-Type"]) == (400, "text/html; charset=utf-8")
    assert (Message.objects.count(), Participant.objects.filter(read_sequence__gt=0).count()) == (
        1,
        0,
    )
    # What came back with the page does not follow people around.
    assert ana.get("/listings/walnut-sideboard/").status_code == 200
    assert post_json(ana, path, message="x", sequence=1).status_code in (200, 201)


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"message=%FF%FE&sequence=%FF", FORM),
        (b"message=\xff\xfe&sequence=\xff", FORM),
        (b"message=%00%00&sequence=%00", FORM),
        (b"message=%ED%A0%80&sequence=%ED%A0%80", FORM),
        (b"&" * 5_000, FORM),
        (b"message=" + b"x" * 300_000, FORM),
        (b"message=x&sequence=1", f"{FORM}; charset=utf-16"),
        (b"message=x&sequence=1", "text/plain"),
        (b"message=x&sequence=1", ""),
        (b"message=x&sequence=1", "multipart/form-data"),
        (b"message=x&sequence=1", "multipart/form-data; boundary=\xc3\xa9"),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\nx", "multipart/form-data; boundary=x"),
        (
            b'--x\r\nContent-Disposition: form-data; name="message"; filename="m.txt"\r\n\r\nx'
            b"\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
    ],
    ids=range(13),
)
def test_a_broken_form_is_an_answer(
    name: str, body: bytes, content_type: str, ana: Client, conversation: Conversation
) -> None:
    for accept in ("text/html", JSON):
        answer = post_raw(ana, path_of(name, conversation), body, content_type, accept)
        assert answer.status_code in (200, 201, 303, 400)
        if accept == JSON and answer.status_code == 400:
            assert set(answer.json()) == {"code", "detail"}


def test_forms_that_are_no_text_are_refused_and_control_characters_dropped(
    ana: Client, conversation: Conversation
) -> None:
    path = url(conversation, "new_message/")
    assert post_raw(ana, path, b"message=a%FFb%00c", FORM, "text/html").status_code == 400
    assert post_raw(ana, path, b"message=ab%00c", FORM, "text/html").status_code == 303
    assert Message.objects.get(sequence=2).body == "abc"


@pytest.mark.parametrize("odd", ODD_IDS)
def test_odd_ids_in_paths_are_not_found(odd: str, ana: Client, buyer: Any) -> None:
    for accept in ("text/html", JSON):
        for tail in ("", "messages/"):
            response = ana.get(f"/conversation/{odd}/{tail}", headers={"Accept": accept})
            assert response.status_code == 404
        for path in (
            f"/conversation/{odd}/new_message/",
            f"/conversation/{odd}/read/",
            f"/listings/{odd}/conversation/",
        ):
            response = ana.post(path, {"message": "x"}, headers={"Accept": accept})
            assert response.status_code == 404
    assert ana.get(f"/listings/{odd}/conversation/").status_code == 404


@pytest.mark.parametrize("odd", ["%00", "%FF", "9" * 9_000, "-", "1&after=2", "[]", "%ED%A0%80"])
def test_odd_queries_are_an_answer(odd: str, ana: Client, conversation: Conversation) -> None:
    lists = [
        f"{path}?{name}={odd}"
        for path in ("/conversations/", "/seller/")
        for name in ("cursor", "role", "state", "listing", "q")
    ]
    threads = [
        f"{url(conversation, tail)}?{name}={odd}"
        for tail in ("", "messages/")
        for name in ("after", "before")
    ]
    for path in (*lists, *threads):
        assert get_json(ana, path).status_code in (200, 400)
    for path in (lists[0], lists[-1], threads[1]):
        assert ana.get(path).status_code in (200, 400)


@pytest.mark.parametrize(
    "accept", ["", "*", "application/json;", ",,,", "application/json\x00", "é"]
)
def test_odd_wishes_get_a_page_or_json(
    accept: str, ana: Client, conversation: Conversation
) -> None:
    assert ana.get(url(conversation), headers={"Accept": accept}).status_code == 200


@pytest.mark.parametrize("number", [2**63, -(2**63), 10**400, str(2**63)], ids=range(4))
def test_numbers_past_what_is_stored(number: Any, ana: Client, conversation: Conversation) -> None:
    for answer in (
        post_json(ana, url(conversation, "read/"), sequence=number),
        post_json(ana, url(conversation, "new_message/"), message="x", read=number),
        get_json(ana, url(conversation, "messages/"), after=number),
        get_json(ana, url(conversation), before=number),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
