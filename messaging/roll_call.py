"""Asks over the bus which web processes hear it. Each answers with where it runs."""

import asyncio
import os
import socket
import time
import uuid
from contextlib import suppress
from typing import Any

from channels.layers import get_channel_layer

from messaging.shards import BUS_GROUP

ANSWER_SECONDS = 1.0


async def answer(layer: Any, channel: str, *, process: str, connections: int) -> None:
    """A process that cannot answer in time is one that does not hear."""
    present = {
        "type": "messaging.present",
        "process": process,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "connections": connections,
        "time": time.time(),
    }
    with suppress(Exception):
        await asyncio.wait_for(layer.send(channel, present), ANSWER_SECONDS)


async def call(*, seconds: float, expected: int = 0) -> list[dict[str, Any]]:
    """Those that answer within `seconds`; sooner when `expected` have. Raises what the layer does.

    To each answer are added `asked`, when the question left, and `delay`, the seconds since.
    """
    layer: Any = get_channel_layer()
    channel = await layer.new_channel()
    question = {
        "type": "messaging.roll_call",
        "process": uuid.uuid4().hex,
        "events": "[]",
        "answer_to": channel,
    }
    asked = time.time()
    await asyncio.wait_for(layer.group_send(BUS_GROUP, question), seconds)
    answers: dict[str, dict[str, Any]] = {}
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not expected or len(answers) < expected:
                present = await layer.receive(channel)
                answers[present["process"]] = {
                    **present,
                    "asked": asked,
                    "delay": time.time() - asked,
                }
    return list(answers.values())
