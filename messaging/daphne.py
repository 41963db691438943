"""Daphne, with what it lacks: `python -m messaging.daphne -p PORT project.asgi:application`.

It knows the limits of the protocol, counts what a socket has not taken yet, reads no more from one
than its application takes, and ends politely: sockets are told to come back and taken messages are
committed before anything is cancelled (Daphne by itself cancels its applications at once,
django/daphne#177). The only place that knows Daphne, with the protocols beside it.
"""

import asyncio
import gc
import sys
from contextlib import suppress
from functools import partial
from typing import Any

# First: it installs the reactor that runs on asyncio, which must happen before any other import
# of Twisted.
from autobahn.exception import Disconnected
from daphne import cli, server
from twisted.internet import defer, reactor

from messaging.daphne_frames import count_unsent
from messaging.daphne_requests import BodyReader, Queue
from messaging.daphne_sockets import FrameQueue, FrameReader, FrameWriter, TwistedTransport
from messaging.program import cancelling_seconds, leave, leave_program_alone
from messaging.transport import EXTENSION

DEFAULTS = {
    # No log of its own: its lines hold whole addresses, with what people search for in them.
    "verbosity": 0,
    "websocket_max_message_size": 64 * 1024,
    "websocket_max_frame_size": 64 * 1024,
    "http_timeout": 3600,  # Of a whole request: large downloads over slow lines take their time.
    "websocket_connect_timeout": 20,
    "websocket_timeout": 12 * 3600,
    "ping_interval": 15,
    "ping_timeout": 15,
    "application_close_timeout": 5,
    "server_name": "",
}
MOST_UNSENT_BYTES = 1024 * 1024  # Of one answer.
LOOK_AGAIN_SECONDS = 0.02
# Who knock in the same moment. Beyond it the kernel is silent, and they try again after 1, 3, 7, 15
# seconds: with Twisted's 50 it takes a minute until thousands are back after a restart.
MOST_KNOCKING = 2048


class Server(server.Server):
    """Daphne's server with a way to end."""

    endpoints: list[str]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.endpoints = [let_many_knock(endpoint) for endpoint in self.endpoints]
        self._pages: set[asyncio.Future[None]] = set()
        self._is_ending = False

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Queue | FrameQueue:
        """As Daphne's own, with a `receive` that takes no more than is wanted."""
        scope["asgi"] = {"version": "3.0"}
        reply, queue = partial(self.handle_reply, protocol), make_queue(scope["type"])
        receive: FrameReader | BodyReader
        send: Any = reply
        if isinstance(queue, FrameQueue):
            scope["extensions"] = {EXTENSION: TwistedTransport(protocol)}
            receive, send = FrameReader(queue, protocol), FrameWriter(protocol, reply)
        else:
            receive = BodyReader(queue, protocol)
        application = self.application(scope=scope, receive=receive, send=send)
        running: asyncio.Future[None] = asyncio.ensure_future(application)
        if scope["type"] == "http":
            running = self._shield(running)
        self.connections[protocol]["application_instance"] = running
        return queue

    def _shield(self, page: asyncio.Future[None]) -> asyncio.Future[None]:
        """Daphne cancels what goes on for seconds after its client has left, and Django's handler
        would then never give back its connection to the database: a pool that is empty for ever.
        It ends by itself, as soon as the database has answered."""
        self._pages.add(page)  # The loop itself keeps no tasks.
        page.add_done_callback(self._pages.discard)
        return asyncio.shield(page)

    async def handle_reply(self, protocol: Any, message: Any) -> None:
        """Whatever sends a long answer waits for its reader: by itself Daphne takes it all at once
        and keeps in memory what a slow one has not fetched yet."""
        if self._is_ending and message["type"] == "http.response.start":
            let_connection_end(protocol)
        with suppress(Disconnected):  # Whoever it was for has just gone.
            await super().handle_reply(protocol, message)
        if message["type"] != "http.response.body" or not message.get("more_body"):
            return
        while self._is_open(protocol) and count_unsent(protocol.channel) > MOST_UNSENT_BYTES:
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    def _is_open(self, protocol: Any) -> bool:
        details = self.connections.get(protocol, {"disconnected": 0})
        return "disconnected" not in details and protocol.channel is not None

    def listen_success(self, port: Any) -> Any:
        """Daphne's own keeps the port from whoever asks the listener for it later, to close it."""
        super().listen_success(port)
        return port

    def run(self) -> None:
        reactor.callWhenRunning(self._adopt_loop)
        super().run()

    def _adopt_loop(self) -> None:
        asyncio.get_event_loop().call_soon(self._begin)

    def _begin(self) -> None:
        from django.urls import get_resolver

        from messaging import runtime
        from messaging.hub import current_hub

        try:
            runtime.adopt_running_loop()
            current_hub().listen()
            get_resolver().url_patterns  # noqa: B018  Loads all pages; else the first of them would.
        finally:
            leave_program_alone()

    def kill_all_applications(self) -> defer.Deferred[None]:
        """Before the reactor stops. It waits for what this gives."""
        return defer.Deferred.fromFuture(asyncio.ensure_future(self._end()))

    async def _end(self) -> None:
        from messaging import conf
        from messaging.draining import drain

        self._is_ending = True
        seconds = conf.drain_seconds()
        cancelling = cancelling_seconds(seconds)
        for listener in self.listeners:
            listener.addCallback(lambda port: port.stopListening())
        await drain(seconds=max(seconds - cancelling, 0), is_busy=self._serves_pages)
        running = [
            details["application_instance"]
            for details in self.connections.values()
            if "application_instance" in details and not details["application_instance"].done()
        ]
        for application in running:
            application.cancel()
        if running:
            await asyncio.wait(running, timeout=cancelling)

    def _serves_pages(self) -> bool:
        return any(
            "disconnected" not in details
            and "application_instance" in details
            and not details["application_instance"].done()
            for details in self.connections.values()
        )


class CommandLine(cli.CommandLineInterface):
    """Daphne's own flags with the defaults of this protocol."""

    server_class = Server

    def __init__(self) -> None:
        super().__init__()
        self.parser.set_defaults(**DEFAULTS)


def main() -> None:
    gc.disable()  # Until the program is there: nothing of it is garbage.
    CommandLine().run(sys.argv[1:])
    leave()


def let_many_knock(endpoint: str) -> str:
    """Of Twisted's descriptions of where to listen: `tcp:port=8000:interface=127.0.0.1`."""
    if not endpoint.startswith(("tcp:", "ssl:", "unix:")) or "backlog=" in endpoint:
        return endpoint
    return f"{endpoint}:backlog={MOST_KNOCKING}"


def make_queue(kind: str) -> Queue | FrameQueue:
    return FrameQueue() if kind == "websocket" else asyncio.Queue()


def let_connection_end(request: Any) -> None:
    """With this answer. A proxy that keeps its connections would send us page after page until we
    are cut off in the middle of one; so it goes elsewhere."""
    if request.channel is not None:
        request.channel.persistent = False
        request.responseHeaders.setRawHeaders(b"connection", [b"close"])


if __name__ == "__main__":
    main()
