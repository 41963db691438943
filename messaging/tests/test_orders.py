"""The orders of things that are easy to get wrong, a test each, through the doors people use.

1. an ack that overtakes an older message of the other side
2. a gap read that contains one's own messages
3. a lost ack and a reconnect with `after`
4. two processes that publish in the wrong order
5. an edit of a message whose creation was missed
6. a retry after a block
7. one message that cannot be stored in a batch of hundreds
8. two batches and archiving over the same conversations: test_orders_of_writers.py

What surrounds each stands in test_socket_gaps.py, test_changes_missed.py, test_blocks.py,
test_journal.py and test_races.py.
"""

import asyncio
from typing import Any, cast
from uuid import uuid4

import pytest
from channels.layers import get_channel_layer
from msgspec.structs import replace

from messaging import consumers
from messaging.bus import make_piece
from messaging.events import Event
from messaging.models import Conversation, Message
from messaging.runtime import in_database
from messaging.sending import SendingConnection
from messaging.services.blocks import block_person
from messaging.shards import BUS_GROUP
from messaging.tests.conversing import store
from messaging.tests.sockets import Sockets
from messaging.tests.test_changes_missed import change
from messaging.tests.test_socket_gaps import deliver, events_of, reads
from messaging.tests.test_socket_retries import post

__all__ = ["reads"]  # A fixture.


async def test_an_ack_may_overtake_an_older_message_of_the_other_side(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, reads: list[int]
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    (two,) = await events_of(seller, conversation, "two")
    await ana.send(message="three")
    assert (await ana.expect("ack"))["revision"] == 3
    missed = await ana.expect("chat_message")
    assert (missed["message"], missed["revision"]) == ("two", 2)
    assert reads == [1]
    deliver(two)
    assert await ana.is_silent()


async def test_a_gap_read_passes_over_ones_own_messages(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    await events_of(seller, conversation, "two")
    await ana.send(message="three", client_message_id=str(uuid4()))
    await ana.send(message="four")
    await ana.expect("ack")
    await ana.expect("ack")
    await events_of(seller, conversation, "five")
    (six,) = await events_of(seller, conversation, "six")
    deliver(six)
    frames = [await ana.expect("chat_message") for _ in range(3)]
    assert [frame["message"] for frame in frames] == ["two", "five", "six"]
    assert await ana.is_silent()


async def test_a_lost_ack_and_a_reconnect_store_nothing_twice(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    sol = await sockets.room(seller, conversation.pk)
    identifier = str(uuid4())
    lost = await sockets.room(buyer, conversation.pk)
    await lost.send(message="Did it arrive?", client_message_id=identifier)
    await sol.expect("chat_message")
    await lost.close()  # Its ack was never read.
    ana = await sockets.room(buyer, conversation.pk, after=1)
    own, _ = await ana.until("ready")
    assert own["client_message_id"] == identifier
    await ana.send(message="Did it arrive?", client_message_id=identifier)
    ack = await ana.expect("ack")
    assert (ack["duplicate"], ack["id"], ack["sequence"]) == (True, own["id"], 2)
    assert await sol.has_heard_all()
    assert await Message.objects.filter(conversation=conversation).acount() == 2


async def publish_from(process: str, *events: Event) -> None:
    """Over the real layer, as another web process does."""
    layer: Any = get_channel_layer()
    await layer.group_send(BUS_GROUP, make_piece(events, process))


async def test_two_processes_that_publish_in_the_wrong_order(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    reads: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was committed second comes first: the room waits, and needs no read of the database."""
    monkeypatch.setattr(consumers, "WAIT_FOR_GAP_SECONDS", 5)
    ana = await sockets.room(buyer, conversation.pk)
    (two,) = await events_of(seller, conversation, "two")
    (three,) = await events_of(seller, conversation, "three")
    await publish_from("a fast process", three)
    await publish_from("a slow process", two)
    frames = [await ana.expect("chat_message") for _ in range(2)]
    assert [(frame["revision"], frame["message"]) for frame in frames] == [(2, "two"), (3, "three")]
    await publish_from("a slow process", two, three)
    (four,) = await events_of(seller, conversation, "four")
    await publish_from("a slow process", four)
    assert (await ana.expect("chat_message"))["revision"] == 4
    assert reads == []


async def test_an_edit_of_a_message_that_never_came_is_a_new_message(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    sol = await sockets.room(seller, conversation.pk)
    await in_database(store, buyer, conversation, "lost on the way")
    await change(buyer, conversation, "and edited", sequence=2)
    frame = await sol.expect("chat_message")
    assert (frame["message"], frame["revision"], frame["sequence"]) == ("and edited", 3, 2)
    assert await sol.has_heard_all()


async def test_a_retry_after_a_block_is_answered_and_brings_nothing_new(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    sol = await sockets.room(seller, conversation.pk)
    identifier = str(uuid4())
    lost = await sockets.room(buyer, conversation.pk)
    await lost.send(message="Just before", client_message_id=identifier)
    assert (await sol.expect("chat_message"))["sequence"] == 2
    await lost.close()  # Its ack was never read.
    await in_database(block_person, user_id=seller.pk, other_id=buyer.pk)
    ana = await sockets.room(buyer, conversation.pk)
    await ana.send(message="Just before", client_message_id=identifier)
    ack = await ana.expect("ack")
    assert (ack["duplicate"], ack["sequence"], ack["revision"]) == (True, 2, 2)
    body = {"message": "Just before", "client_message_id": identifier}
    answer = await in_database(post, sockets, buyer, conversation, body)
    assert (answer.status_code, answer.json()["sequence"]) == (200, 2)
    await ana.send(message="And now?")
    assert (await ana.expect("error"))["code"] == "forbidden"
    assert await sol.has_heard_all()
    assert await Message.objects.filter(conversation=conversation).acount() == 2


async def test_one_that_cannot_be_stored_costs_only_itself(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It breaks the transaction of the whole batch; every other one is stored, acknowledged in
    order and delivered without a gap."""
    settings.MESSAGING_SEND_LIMITS = []
    caplog.set_level("CRITICAL", logger="messaging.journal")
    make_draft = SendingConnection._make_draft

    def break_one(connection: SendingConnection, frame: dict[str, Any]) -> Any:
        draft = make_draft(connection, frame)
        broken = frame["message"] == "number 150"
        return replace(draft, read_sequence=cast("int", "many")) if broken else draft

    monkeypatch.setattr(SendingConnection, "_make_draft", break_one)
    ana, sol = (
        await sockets.room(buyer, conversation.pk),
        await sockets.room(seller, conversation.pk),
    )
    for number in range(200):
        await ana.send(message=f"number {number}", client_message_id=str(uuid4()))
    async with asyncio.timeout(60):
        while await Message.objects.filter(conversation=conversation).acount() < 200:
            await asyncio.sleep(0.05)
    answers: list[dict[str, Any]] = []
    while len(answers) < 200:
        frame = await ana.receive()
        answers += [frame] if frame["type"] in ("ack", "error") else []
    refused = [place for place, answer in enumerate(answers) if answer["type"] != "ack"]
    assert refused == [150]
    assert answers[150]["code"] == "unavailable"
    sequences = [answer["sequence"] for answer in answers if answer["type"] == "ack"]
    assert sequences == list(range(2, 201))
    heard = [await sol.expect("chat_message") for _ in range(199)]
    assert [frame["revision"] for frame in heard] == list(range(2, 201))
    assert "number 150" not in [frame["message"] for frame in heard]
