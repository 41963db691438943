"""uvicorn instead of Daphne: `python -m messaging.uvicorn --port PORT project.asgi:application`.

With the limits of the protocol, and told to end politely, as `messaging.daphne` is. uvicorn is not
a dependency: who wants it installs it. The only place that knows it, with the protocol beside it.
"""

import argparse
import asyncio
import gc
import sys
from typing import Any

import uvicorn
from uvicorn.importer import import_from_string

from messaging.program import cancelling_seconds, leave, leave_program_alone
from messaging.uvicorn_sockets import SocketProtocol

MOST_MESSAGE_BYTES = 64 * 1024
PING_SECONDS = 15
CLOSE = (b"connection", b"close")


class Application:
    """The project's. While the process ends, each answer is the last on its connection: a proxy
    that keeps it would send page after page until one is cut off."""

    def __init__(self, name: str) -> None:
        self._application: Any = import_from_string(name)
        self.is_ending = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_last(message: Any) -> None:
            if self.is_ending and message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), CLOSE]}
            await send(message)

        is_page = scope["type"] == "http"
        await self._application(scope, receive, send_last if is_page else send)


class Server(uvicorn.Server):
    """uvicorn's server with a way to end."""

    def __init__(self, application: Application, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._application = application

    async def serve(self, sockets: Any = None) -> None:
        await super().serve(sockets)
        leave()

    async def startup(self, sockets: Any = None) -> None:
        from django.urls import get_resolver

        from messaging import runtime
        from messaging.hub import current_hub

        runtime.adopt_running_loop()
        current_hub().listen()
        get_resolver().url_patterns  # noqa: B018  Loads all pages; else the first of them would.
        await super().startup(sockets)
        leave_program_alone()

    async def shutdown(self, sockets: Any = None) -> None:
        """Sockets are told to come back, and what was taken is committed, before uvicorn ends what
        goes on. Pages have until then, too."""
        from messaging import conf
        from messaging.draining import drain

        seconds = conf.drain_seconds()
        cancelling = cancelling_seconds(seconds)
        self._application.is_ending = True
        for server in self.servers:
            server.close()
        try:
            await drain(seconds=max(seconds - cancelling, 0), is_busy=self._serves_pages)
        finally:
            # It says whole seconds, and gives it to asyncio, which takes parts of one.
            self.config.timeout_graceful_shutdown = cancelling  # type: ignore[assignment]
            await super().shutdown(sockets)
            if self.server_state.tasks:  # They have been cancelled.
                await asyncio.wait(self.server_state.tasks, timeout=cancelling)
            self._captured_signals.clear()  # Which would end it once more.

    def _serves_pages(self) -> bool:
        protocols = list(self.server_state.connections)
        cycles = [getattr(protocol, "cycle", None) for protocol in protocols]
        return any(cycle is not None and not cycle.response_complete for cycle in cycles)


def main(arguments: list[str]) -> None:
    gc.disable()  # Until the program is there: nothing of it is garbage.
    given = read_arguments(arguments)
    application = Application(given.app)
    Server(application, make_config(application, given)).run()


def read_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m messaging.uvicorn", description=__doc__)
    parser.add_argument("app", metavar="APPLICATION", help="project.asgi:application")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--uds", help="a unix socket instead")
    return parser.parse_args(arguments)


def make_config(application: Application, given: argparse.Namespace) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        host=given.host,
        port=given.port,
        uds=given.uds,
        ws=SocketProtocol,
        ws_max_size=MOST_MESSAGE_BYTES,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,  # A hundred kilobytes for each connection.
        proxy_headers=False,  # Whose they are is for the project to say.
        server_header=False,
        lifespan="off",
        log_config=None,
        log_level="warning",  # Others hold whole addresses, with what people search for in them.
        access_log=False,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
