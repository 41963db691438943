"""Messages over HTTP: JSON, with a session and a CSRF token, each answered when it is stored."""

import asyncio
import json
import secrets
from collections import Counter

from benchmarks.load.dialects import body_of
from benchmarks.load.identifiers import Origin
from benchmarks.load.pages import PageClient
from benchmarks.measures.sockets import count_stored
from benchmarks.serving import Serving
from benchmarks.taking import Bar, Figure, Measure, Sizes, Taken

CLIENTS = 8
# As Django makes them: what the cookie holds may be sent back as it is.
TOKEN = "abcdefghijklmnopqrstuvwxyzABCDEF"


class Sender:
    """Somebody who sends one message after the other into one conversation."""

    def __init__(self, serving: Serving, number: int, run: int) -> None:
        place = serving.places[number]
        self.serving, self.origin = serving, Origin(run, number, 0, 0)
        conversation = (
            place.conversation if serving.contender.is_ours else serving.ground.numbers[number]
        )
        self.path = f"/conversation/{conversation}/new_message/"
        port = serving.ports[0]
        self.client = PageClient(
            port,
            {
                "Cookie": f"sessionid={place.sessions[0]}; csrftoken={TOKEN}",
                "Origin": f"http://localhost:{port}",
                "X-CSRFToken": TOKEN,
                "Content-Type": "application/json",
                "Accept": "application/json",
            },
        )
        self.statuses: Counter[int] = Counter()
        self.is_ending = False

    async def send_on(self) -> None:
        """Until it is ending, and then to the end of what is under way."""
        await self.client.connect()
        number = 0
        while not self.is_ending:
            number += 1
            identifier = self.origin.identifier(number)
            content = {"message": body_of(identifier), "client_message_id": identifier}
            answer = await self.client.ask(
                "POST", self.path, json.dumps(content).encode(), {"X-Number": str(number)}
            )
            self.statuses[answer.status] += 1


async def take(serving: Serving, sizes: Sizes) -> Taken:
    run, before = secrets.randbits(32), count_stored(serving)
    senders = [Sender(serving, number, run) for number in range(CLIENTS)]
    tasks = [asyncio.create_task(sender.send_on()) for sender in senders]
    await asyncio.sleep(sizes.warm_up)
    watch, first = serving.watch(), total(senders)
    await asyncio.sleep(sizes.seconds)
    messages, usage = total(senders)[201] - first[201], watch.end()
    for sender in senders:
        sender.is_ending = True
    await asyncio.gather(*tasks)
    statuses = total(senders)
    missing = statuses[201] - (count_stored(serving) - before)
    mistakes = {
        "not 201": statuses.total() - statuses[201],
        "stored too few": max(missing, 0),
        "stored too many": max(-missing, 0),
    }
    server = usage.by_name["server"] / max(messages, 1) * 1000
    return Taken({"rate": messages / usage.seconds, "server": server}, usage, mistakes)


def total(senders: list[Sender]) -> Counter[int]:
    return sum((sender.statuses for sender in senders), Counter())


SENDS = Measure(
    name="sends",
    title=f"Messages over HTTP, {CLIENTS} people at once",
    contenders=("naive", "ours"),
    figures=(Figure("rate", "messages/s"), Figure("server", "server CPU ms a message", "{:.1f}")),
    bars=(Bar("HTTP sends against a view that inserts a row", "rate", "ours", "naive", 0.7, 1),),
    take=take,
)
