"""Finds the port to listen on, before anything is started."""

import errno
import socket
from typing import NoReturn

PREFERRED = range(8000, 8100)


def choose(host: str, port: int | None) -> int:
    """`port` if it is free, or without one the first free. Ends the process when there is none."""
    if port is not None:
        if reason := why_not(host, port):
            stop(f"Port {port} on {host} {reason}. Choose another one with --port.")
        return port
    for candidate in PREFERRED:
        reason = why_not(host, candidate)
        if reason is None:
            return candidate
    stop(f"Port {candidate} on {host} {reason}, nor is any from {PREFERRED.start} on free.")


def why_not(host: str, port: int) -> str | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as attempt:
            # As the web server does it: what an ended one left behind is not in the way.
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            attempt.bind(address)
            attempt.listen(1)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return "is in use"
        return f"cannot be used ({error.strerror or error})"
    return None


def stop(sentence: str) -> NoReturn:
    raise SystemExit(sentence)
