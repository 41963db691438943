"""The short way of a message: one frame out, one frame in, and one call to the kernel (RFC 6455,
section 5.2). autobahn takes everything else."""

from typing import Any

from twisted.internet.tcp import Connection

WHOLE_TEXT = 0x81  # The last frame of a message, its only one, and no extension.
MASKED = 0x80
MASK_BYTES = 4
LENGTH_OF_16_BITS, LENGTH_OF_64_BITS = 126, 127


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


def text_frame(payload: bytes) -> bytes:
    """A whole message that is not masked, as servers send it (RFC 6455, section 5.2)."""
    length = len(payload)
    if length < LENGTH_OF_16_BITS:
        return bytes((WHOLE_TEXT, length)) + payload
    if length < 1 << 16:
        return bytes((WHOLE_TEXT, LENGTH_OF_16_BITS)) + length.to_bytes(2) + payload
    return bytes((WHOLE_TEXT, LENGTH_OF_64_BITS)) + length.to_bytes(8) + payload


def read_whole_text(data: bytes) -> tuple[str, int]:
    """The message at the beginning of what a client has sent, and how many bytes of it that was; 0
    when it is not a whole text in one frame below 64 KiB, or not written as it should be."""
    if len(data) < 2 or data[0] != WHOLE_TEXT or not data[1] & MASKED:
        return "", 0
    length, start = data[1] & ~MASKED, 2
    if length == LENGTH_OF_16_BITS:
        length, start = int.from_bytes(data[2:4]), 4
        if length < LENGTH_OF_16_BITS:
            return "", 0
    elif length == LENGTH_OF_64_BITS:
        return "", 0
    end = start + MASK_BYTES + length
    if len(data) < end:
        return "", 0
    try:
        text = unmask(data[start + MASK_BYTES : end], data[start : start + MASK_BYTES]).decode()
    except UnicodeDecodeError:
        return "", 0
    return text, end


def unmask(payload: bytes, mask: bytes) -> bytes:
    length = len(payload)
    stretched = (mask * (length // MASK_BYTES + 1))[:length]
    return (int.from_bytes(payload) ^ int.from_bytes(stretched)).to_bytes(length)
