"""What Twisted has of a connection that has not left yet, one call to the kernel instead of three,
and what autobahn keeps of a message in pieces."""

from typing import Any

from twisted.internet.tcp import Connection

MOST_LOOSE_PIECES = 64  # Of one message, before they are put together.


def count_unsent(protocol: Any) -> int:
    """Bytes that Twisted still has for the other side."""
    transport = protocol.transport
    if transport is None:
        return 0
    waiting: int = len(transport.dataBuffer) - transport.offset + transport._tempDataLen
    return waiting


def write_now(transport: Any, data: bytes) -> None:
    """Twisted would ask the kernel whether it may, write in the loop's next turn, and ask it to be
    told no more."""
    # By its class: a wrapper, as for TLS, passes questions and writes on to what is inside it, and
    # nothing may go there in clear text.
    is_plain = isinstance(transport, Connection) and not transport.TLS
    is_open = is_plain and transport.connected and not transport.disconnecting
    if is_open and not transport.dataBuffer and not transport._tempDataBuffer:
        taken = transport.writeSomeData(data)
        if isinstance(taken, int):  # Else the connection is lost, as it will find by itself.
            data = data[taken:]
    if data:
        transport.write(data)


def put_together(pieces: list[bytes]) -> list[bytes]:
    """autobahn keeps each as it came, however small; empty ones as well."""
    return [b"".join(pieces)] if len(pieces) > MOST_LOOSE_PIECES else pieces
