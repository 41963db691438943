"""uvicorn instead of Daphne: `python -m messaging.uvicorn --port PORT project.asgi:application`.

With the limits of the protocol, and told to end politely, as `messaging.daphne` is. uvicorn is not
a dependency: who wants it installs it. The only place that knows it, with the protocol beside it.
"""

import argparse
import gc
import sys
from typing import Any

import uvicorn

from messaging.uvicorn_sockets import SocketProtocol

MOST_MESSAGE_BYTES = 64 * 1024
PING_SECONDS = 15
LAST_SECONDS = 1  # Of the time for ending, for what goes on until it is cancelled.


class Server(uvicorn.Server):
    """uvicorn's server with a way to end."""

    async def startup(self, sockets: Any = None) -> None:
        from messaging import runtime
        from messaging.hub import current_hub

        runtime.adopt_running_loop()
        current_hub().listen()
        await super().startup(sockets)
        leave_program_alone()

    async def shutdown(self, sockets: Any = None) -> None:
        """Sockets are told to come back, and what was taken is committed, before uvicorn ends what
        goes on. Pages have until then, too."""
        from messaging import conf
        from messaging.draining import drain

        for server in self.servers:
            server.close()
        seconds = max(conf.drain_seconds() - LAST_SECONDS, 0)
        await drain(seconds=seconds, is_busy=self._serves_pages)
        await super().shutdown(sockets)

    def _serves_pages(self) -> bool:
        protocols = list(self.server_state.connections)
        cycles = [getattr(protocol, "cycle", None) for protocol in protocols]
        return any(cycle is not None and not cycle.response_complete for cycle in cycles)


def main(arguments: list[str]) -> None:
    gc.disable()  # Until the program is there: nothing of it is garbage.
    given = read_arguments(arguments)
    Server(make_config(**vars(given))).run()


def read_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m messaging.uvicorn", description=__doc__)
    parser.add_argument("app", metavar="APPLICATION", help="project.asgi:application")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--uds", help="a unix socket instead")
    return parser.parse_args(arguments)


def make_config(*, app: str, host: str, port: int, uds: str | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        uds=uds,
        ws=SocketProtocol,
        ws_max_size=MOST_MESSAGE_BYTES,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,  # A hundred kilobytes for each connection.
        proxy_headers=False,  # Whose they are is for the project to say.
        server_header=False,
        lifespan="off",
        log_config=None,
        access_log=False,  # Its lines hold whole addresses, with what people search for in them.
        timeout_graceful_shutdown=LAST_SECONDS,
    )


def leave_program_alone() -> None:
    """As under Daphne."""
    gc.collect()
    gc.freeze()
    gc.enable()


if __name__ == "__main__":
    main(sys.argv[1:])
