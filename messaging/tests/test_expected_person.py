"""A page says whose it is: another person's session does nothing of what that page asks for."""

from typing import Any

import pytest
from django.test import Client

from messaging.models import Block, Conversation, Message
from messaging.tests.browsing import JSON, url
from messaging.tests.conversing import say
from messaging.tests.crowd import place_of


def post_for(client: Client, expected: Any, path: str, **body: Any) -> Any:
    headers = {"Accept": JSON, "X-For-User": str(expected)}
    return client.post(path, body, content_type=JSON, headers=headers)


def test_somebody_elses_page_does_nothing(
    conversation: Conversation, buyer: Any, seller: Any, client_of: Any
) -> None:
    say(seller, conversation, "Yes, it is")
    before = place_of(seller, conversation)
    posts: list[tuple[str, dict[str, Any]]] = [
        (url(conversation, "new_message/"), {"message": "From whom?"}),
        (url(conversation, "read/"), {"sequence": 2}),
        (url(conversation, "archive/"), {"on": 1}),
        (url(conversation, "messages/2/edit/"), {"message": "Never said"}),
        (url(conversation, "messages/2/delete/"), {}),
        (f"/people/{buyer.pk}/block/", {"on": 1}),
    ]
    sol = client_of(seller)
    for path, body in posts:
        answer = post_for(sol, buyer.pk, path, **body)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), path
    bodies = Message.objects.filter(conversation=conversation).order_by("sequence")
    assert list(bodies.values_list("body", flat=True))[1:] == ["Yes, it is"]
    after = place_of(seller, conversation)
    assert (after.read_sequence, after.archived) == (before.read_sequence, False)
    assert not Block.objects.exists()
    # By a form, which does not say it; and the same for whom it was written.
    assert sol.post(posts[0][0], {"message": "By form"}).status_code == 303
    answers = [post_for(sol, seller.pk, path, **body) for path, body in posts]
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 200, 200]


@pytest.mark.parametrize("expected", ["", "None", "0", "1e3", "\u0661"])
def test_whatever_is_nobody_is_refused(
    conversation: Conversation, seller: Any, client_of: Any, expected: str
) -> None:
    path = url(conversation, "new_message/")
    answer = post_for(client_of(seller), expected, path, message="x")
    assert answer.status_code == 401
    assert Message.objects.filter(body="x").count() == 0
