"""One person's line to ejabberd: XMPP over a WebSocket (RFC 7395). An acknowledgement (XEP-0198)
says that the server has taken and archived a message."""

import asyncio
import base64
import re
from collections import deque
from collections.abc import Callable

from benchmarks.contenders.ejabberd import HOST, PASSWORD
from benchmarks.load.dialects import IDENTIFIER_LENGTH, Arrival, body_of
from benchmarks.load.identifiers import parse
from benchmarks.load.websocket import Client, connect

OPEN = f'<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="{HOST}" version="1.0"/>'
AUTH = '<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">{}</auth>'
BIND = (
    '<iq xmlns="jabber:client" type="set" id="bind">'
    '<bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"><resource>r</resource></bind></iq>'
)
ENABLE = '<enable xmlns="urn:xmpp:sm:3"/>'
PRESENCE = '<presence xmlns="jabber:client"/>'
MESSAGE = (
    '<message xmlns="jabber:client" to="{to}" type="chat" id="{id}"><body>{body}</body></message>'
)
REQUEST = b'<r xmlns="urn:xmpp:sm:3"/>'
ANSWER = '<a xmlns="urn:xmpp:sm:3" h="{}"/>'
TAKEN = re.compile(rb"<a [^>]*h='(\d+)'")
SAID = re.compile(rb"<body>([^<]*)</body>")
# What comes after each step of getting in; the last word of it is waited for.
STEPS = (
    (OPEN, b"features"),
    (AUTH, b"<success"),
    (OPEN, b"features"),
    (BIND, b"type='result'"),
    (ENABLE, b"<enabled"),
    (PRESENCE, b"<presence"),
)
ENTER_SECONDS = 30.0


class XmppLine:
    """`on_arrival` is called with what comes of messages. `person`: their number."""

    def __init__(self, person: int, on_arrival: Callable[[Arrival], object]) -> None:
        self._person, self._on_arrival = person, on_arrival
        self._received = 0
        self._taken = 1  # The presence.
        self._unacknowledged: deque[str] = deque()
        self._awaited = b""
        self._came = asyncio.Event()
        self._is_in = False

    async def enter(self, port: int) -> "XmppLine":
        self._client: Client = await connect(
            port, "/ws", {"Sec-WebSocket-Protocol": "xmpp"}, self._take
        )
        secret = base64.b64encode(f"\0p{self._person}\0{PASSWORD}".encode()).decode()
        for text, awaited in STEPS:
            self._awaited = awaited
            self._came.clear()
            self._client.send(text.format(secret).encode())
            await asyncio.wait_for(self._came.wait(), ENTER_SECONDS)
        self._is_in = True
        return self

    def send(self, identifier: str) -> None:
        """To the other person of the conversation that the id names."""
        origin, _ = parse(identifier)
        to = f"p{2 * origin.conversation + 1 - origin.side}@{HOST}"
        self._unacknowledged.append(identifier)
        message = MESSAGE.format(to=to, id=identifier, body=body_of(identifier))
        self._client.send(message.encode())
        self._client.send(REQUEST)

    def abort(self) -> None:
        self._client.abort()

    def _take(self, text: bytes) -> None:
        if not self._is_in and self._awaited in text:
            self._came.set()
        if text.startswith(b"<message"):
            self._received += 1
            self._take_message(text)
        elif text.startswith((b"<presence", b"<iq")):
            self._received += self._is_in or text.startswith(b"<presence")
        elif text.startswith(b"<r "):
            self._client.send(ANSWER.format(self._received).encode())
        elif found := TAKEN.match(text):
            self._acknowledge(int(found[1]))

    def _take_message(self, text: bytes) -> None:
        found = SAID.search(text)
        if found:
            identifier = found[1][:IDENTIFIER_LENGTH].decode()
            self._on_arrival(Arrival(is_ack=False, identifier=identifier))

    def _acknowledge(self, count: int) -> None:
        while self._taken < count and self._unacknowledged:
            self._taken += 1
            self._on_arrival(Arrival(True, self._unacknowledged.popleft()))
