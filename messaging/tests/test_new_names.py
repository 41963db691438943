"""Who changes their name is called by the new one, also over sockets that were opened before."""

import asyncio
from typing import Any

import pytest

from messaging.heartbeat import current_heartbeat
from messaging.models import Conversation
from messaging.runtime import in_database
from messaging.tests.browsing import post_json, url
from messaging.tests.crowd import place_of
from messaging.tests.sockets import Sockets


@pytest.fixture(autouse=True)
def idle_heartbeat(settings: Any) -> None:
    settings.MESSAGING_HEARTBEAT_SECONDS = 60


async def until_called(name: str) -> None:
    """Every socket that is open."""
    async with asyncio.timeout(5):
        while {one.person.name for one in current_heartbeat().connections} != {name}:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("path", ["room", "inbox"])
async def test_an_old_socket_writes_under_the_new_name(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, path: str
) -> None:
    path = "/ws/inbox/" if path == "inbox" else f"/ws/room/{conversation.pk}/"
    ana = await sockets.open(buyer, path)
    await ana.expect("ready")
    client = await in_database(sockets.client, buyer)
    profile = {"display_name": "Ana María", "locale": "", "time_zone": ""}
    saved = await in_database(client.post, "/accounts/profile/", profile)
    assert saved.status_code == 302
    await in_database(post_json, client, url(conversation, "new_message/"), message="From a page")
    assert (await ana.expect("chat_message"))["username"] == "Ana María"
    await until_called("Ana María")
    sol = await sockets.room(seller, conversation.pk)
    await ana.send(message="From a socket", conversation=str(conversation.pk))
    assert (await sol.expect("chat_message"))["username"] == "Ana María"
    assert (await in_database(place_of, buyer, conversation)).name == "Ana María"


async def test_without_a_hint_a_heartbeat_brings_it(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    """What sends no signal tells nobody."""
    ana, sol = [await sockets.room(user, conversation.pk) for user in (buyer, seller)]
    people = type(buyer).objects.all()
    await people.aupdate(display_name="Somebody")
    current_heartbeat()._soon.set()
    await until_called("Somebody")
    await ana.send(message="Hello")
    assert (await sol.expect("chat_message"))["username"] == "Somebody"
    assert (await in_database(place_of, buyer, conversation)).name == "Somebody"
