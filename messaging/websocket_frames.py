"""The short way of a message, whichever server is under it: one frame out, one frame in (RFC 6455,
section 5.2). The server's own reader and writer take everything else."""

WHOLE_TEXT = 0x81  # The last frame of a message, its only one, and no extension.
LAST, OPCODE = 0x80, 0x0F  # Of a frame's first byte.
CONTROL_OPCODES = 8  # And above.
MASKED = 0x80
MASK_BYTES = 4
LENGTH_OF_16_BITS, LENGTH_OF_64_BITS = 126, 127
LONGEST_HEAD = 14


def text_frame(payload: bytes) -> bytes:
    """A whole message that is not masked, as servers send it (RFC 6455, section 5.2)."""
    length = len(payload)
    if length < LENGTH_OF_16_BITS:
        return bytes((WHOLE_TEXT, length)) + payload
    if length < 1 << 16:
        return bytes((WHOLE_TEXT, LENGTH_OF_16_BITS)) + length.to_bytes(2) + payload
    return bytes((WHOLE_TEXT, LENGTH_OF_64_BITS)) + length.to_bytes(8) + payload


def read_whole_text(data: bytes, at: int = 0) -> tuple[str, int]:
    """The message that begins there in what a client has sent, and how many bytes of it that was; 0
    when it is not a whole text in one frame below 64 KiB, or not written as it should be."""
    if len(data) < at + 2 or data[at] != WHOLE_TEXT or not data[at + 1] & MASKED:
        return "", 0
    length, start = data[at + 1] & ~MASKED, at + 2
    if length == LENGTH_OF_16_BITS:
        length, start = int.from_bytes(data[start : start + 2]), start + 2
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
    return text, end - at


def unmask(payload: bytes, mask: bytes) -> bytes:
    length = len(payload)
    stretched = (mask * (length // MASK_BYTES + 1))[:length]
    return (int.from_bytes(payload) ^ int.from_bytes(stretched)).to_bytes(length)


def size_of_frame(data: bytes, at: int = 0) -> int:
    """Of the one that begins there, with its head; 0 while too little of that has come."""
    if len(data) < at + 2:
        return 0
    length, start = data[at + 1] & ~MASKED, at + 2
    more = {LENGTH_OF_16_BITS: 2, LENGTH_OF_64_BITS: 8}.get(length, 0)
    if len(data) < start + more:
        return 0
    if more:
        length, start = int.from_bytes(data[start : start + more]), start + more
    return start - at + (MASK_BYTES if data[at + 1] & MASKED else 0) + length
