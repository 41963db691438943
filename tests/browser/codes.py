"""What an authenticator app shows, worked out as any such program does."""

import base64
import hmac
import struct
import time


def app_code(secret: str) -> str:
    """RFC 6238: six digits, anew every 30 seconds."""
    counter = struct.pack(">Q", int(time.time()) // 30)
    digest = hmac.new(base64.b32decode(secret), counter, "sha1").digest()
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06}"
