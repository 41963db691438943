"""One conversation over a socket, from the handshake to the other person's screen."""

from typing import Any
from uuid import uuid4

from messaging.models import Conversation
from messaging.tests.sockets import Sockets


async def test_buyer_writes_and_seller_gets_it(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    sol = await sockets.room(seller, conversation.pk)
    identifier = str(uuid4())
    await ana.send(type="chat_message", message=" Hello Sol ", client_message_id=identifier)
    ack = await ana.expect("ack")
    assert ack["client_message_id"] == identifier
    assert (ack["sequence"], ack["revision"], ack["duplicate"]) == (2, 2, False)
    frame = await sol.expect("chat_message")
    assert frame["message"] == "Hello Sol"
    assert frame["username"] == "Ana"
    assert frame["sender"] == {"id": buyer.pk, "role": "buyer"}
    assert frame["id"] == ack["id"]
    assert "client_message_id" not in frame
    assert await ana.is_silent()
