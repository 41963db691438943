"""What an event costs a process that has nobody it is for: `python -m benchmarks.hearing` prints
the CPU microseconds of it, by how many were stored together, as JSON. Over the project's layer.

A second process publishes; this one hears, as a web process does, and counts its own CPU alone.
"""

import asyncio
import json
import subprocess
import sys
import time
from uuid import uuid4

import django

EVENTS = 30_000
TOGETHER = (1, 10, 100)  # Events in a piece.
DONE = "consumer.done"
BODY = (
    "Is the green armchair still there, and could I have a look at it on Saturday morning? Thanks!"
)
PUBLISH_EACH = 0.0005  # Seconds between pieces: a flood would measure the queue.


class Last:
    """The one connection here, for the event that ends a measurement."""

    conversation_id = None

    def __init__(self) -> None:
        self.heard = asyncio.Event()

    def post(self, event: object) -> None:
        self.heard.set()


async def hear() -> dict[str, float]:
    from messaging.hub import current_hub

    last = Last()
    await current_hub().group_add(DONE, last)
    return {f"hear_{together}": await measure(last, together) for together in TOGETHER}


async def measure(last: Last, together: int) -> float:
    """Microseconds for each event."""
    last.heard.clear()
    count = min(EVENTS, 3000 * together)
    asked = [sys.executable, "-m", "benchmarks.hearing", "publish", str(together), str(count)]
    publisher = subprocess.Popen(asked)
    began = time.process_time()
    await asyncio.wait_for(last.heard.wait(), 120)
    seconds = time.process_time() - began
    publisher.wait(30)
    return seconds / count * 1_000_000


async def publish(together: int, count: int) -> None:
    from channels.layers import get_channel_layer

    from messaging.bus import make_piece
    from messaging.shards import BUS_GROUP

    layer = get_channel_layer()
    piece = make_piece([make_event(f"consumer.{n}") for n in range(together)], "another")
    for _ in range(count // together):
        await layer.group_send(BUS_GROUP, piece)
        await asyncio.sleep(PUBLISH_EACH)
    await layer.group_send(BUS_GROUP, make_piece([make_event(DONE)], "another"))


def make_event(group: str) -> "Event":
    conversation = uuid4()
    message = MessageRecord(
        conversation_id=conversation,
        id=1,
        sequence=1,
        created_revision=1,
        revision=1,
        body=BODY,
        username="Somebody",
        sender_id=1,
        role="buyer",
        kind="text",
        client_message_id=uuid4(),
        created_at=timezone.now(),
    )
    return message_event(message, groups=[group, f"seller.{group}"], origin=uuid4().hex)


def main() -> None:
    if sys.argv[1:2] == ["publish"]:
        asyncio.run(publish(int(sys.argv[2]), int(sys.argv[3])))
    else:
        print(json.dumps(asyncio.run(hear())))


if __name__ == "__main__":
    django.setup()
    from django.utils import timezone

    from messaging.events import Event, MessageRecord, message_event

    main()
