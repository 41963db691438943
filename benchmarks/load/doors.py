"""How the people of a conversation come in: over WebSockets with frames in JSON, or over XMPP."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.load.dialects import Arrival, Dialect
from benchmarks.load.rooms import Line
from benchmarks.load.websocket import Client, connect
from benchmarks.load.xmpp import XmppLine


@dataclass(frozen=True)
class Place:
    """A conversation and the sessions of its two people, buyer first."""

    conversation: str
    sessions: tuple[str, str]


class JsonLine:
    """Of one person, in one conversation."""

    def __init__(self, dialect: Dialect, on_arrival: Callable[[Arrival], object]) -> None:
        self._dialect, self._on_arrival = dialect, on_arrival
        self._greeted = asyncio.Event()

    async def enter(self, port: int, place: Place, side: int, origin_port: int) -> "JsonLine":
        path = self._dialect.path(place.conversation)
        headers = headers_for(place.sessions[side], origin_port)
        self._client: Client = await connect(port, path, headers, self._take)
        if self._dialect.is_greeted:
            await self._greeted.wait()
        return self

    def send(self, identifier: str) -> None:
        self._client.send(self._dialect.say(identifier))

    def abort(self) -> None:
        self._client.abort()

    def _take(self, text: bytes) -> None:
        arrival = self._dialect.read(text)
        if arrival is not None:
            self._on_arrival(arrival)
        elif self._dialect.is_greeting(text):
            self._greeted.set()


@dataclass(frozen=True)
class JsonDoor:
    """Buyers connect to the first of `ports`, sellers to the last."""

    places: Sequence[Place]
    dialect: Dialect
    ports: Sequence[int]

    async def enter(self, number: int, side: int, on_arrival: Callable[[Arrival], object]) -> Line:
        line = JsonLine(self.dialect, on_arrival)
        port = (self.ports[0], self.ports[-1])[side]
        return await line.enter(port, self.places[number], side, self.ports[0])


@dataclass(frozen=True)
class XmppDoor:
    """The people of conversation n are p2n and p2n+1."""

    port: int

    async def enter(self, number: int, side: int, on_arrival: Callable[[Arrival], object]) -> Line:
        return await XmppLine(2 * number + side, on_arrival).enter(self.port)


def headers_for(session: str, port: int) -> dict[str, str]:
    """`port`: of the page that the socket says it is from."""
    return {"Origin": f"http://localhost:{port}", "Cookie": f"sessionid={session}"}
