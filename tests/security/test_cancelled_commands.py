"""What was asked and given up answers nobody else: no payload reaches a channel it is not for."""

import asyncio
import random

from channels.layers import get_channel_layer

ASKED = 2_000
AT_ONCE = 40
LAST = -1


async def test_a_cancelled_command_leaves_no_answer_to_the_next() -> None:
    """Commands that are cancelled half-way, while others use the same connections; what comes on
    a channel is what was sent there."""
    layer = get_channel_layer()
    assert layer is not None
    chosen = random.Random(9)
    channels = [await layer.new_channel() for _ in range(AT_ONCE)]
    heard: list[list[int]] = [[] for _ in channels]

    async def listen(place: int) -> None:
        while (found := await layer.receive(channels[place]))["number"] != LAST:
            assert found["place"] == place
            heard[place].append(found["number"])

    async def send(place: int, number: int) -> bool:
        """Whether it was given up half-way."""
        message = {"type": "tagged", "place": place, "number": number}
        sending = asyncio.create_task(layer.send(channels[place], message))
        for _ in range(chosen.randrange(6)):
            await asyncio.sleep(0)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        return sending.cancelled()

    listening = [asyncio.create_task(listen(place)) for place in range(AT_ONCE)]
    cancelled = 0
    for number in range(ASKED // AT_ONCE):
        cancelled += sum(await asyncio.gather(*(send(each, number) for each in range(AT_ONCE))))
    for place, channel in enumerate(channels):
        await layer.send(channel, {"type": "tagged", "place": place, "number": LAST})
    await asyncio.wait_for(asyncio.gather(*listening), 30)
    assert cancelled > ASKED / 2
    assert all(numbers == sorted(set(numbers)) for numbers in heard)
