"""What an authenticator app shows, worked out as any such program does."""

import base64
import hmac
import struct
import time

PERIOD = 30
SECONDS_TO_USE_IT = 3


def app_code(secret: str) -> str:
    """RFC 6238: six digits, anew every 30 seconds. One that is about to end is not begun with."""
    while (left := PERIOD - time.time() % PERIOD) < SECONDS_TO_USE_IT:
        time.sleep(left)
    counter = struct.pack(">Q", int(time.time()) // PERIOD)
    digest = hmac.new(base64.b32decode(secret), counter, "sha1").digest()
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06}"
