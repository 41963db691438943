"""UUIDs that sort by the time they were made (RFC 9562, version 7)."""

import os
import time
from datetime import datetime
from functools import lru_cache
from uuid import UUID


def uuid7() -> UUID:
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    value = (milliseconds & (1 << 48) - 1) << 80 | random & (1 << 80) - 1
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


def text_of(identifier: UUID) -> str:
    """For those that are written again and again: Python takes longer to write one than to encode
    a whole frame."""
    return _text_of(identifier.int)  # A number is hashed without Python.


@lru_cache(maxsize=8192)
def _text_of(number: int) -> str:
    return str(UUID(int=number))


def first_uuid7(moment: datetime) -> UUID:
    """The smallest that can have been made since then, to find by id what is so old."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=(milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | 0x2 << 62)
