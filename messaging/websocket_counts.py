"""How much one socket may send that its application never sees, or has not taken yet."""

import time

from messaging.websocket_frames import CONTROL_OPCODES

# Frames that its application never sees. Pongs are owed for the first kind: whoever reads nothing
# and stays within the limit leaves 25 KB of them here in ten seconds, which back-pressure counts.
MOST_CONTROL_FRAMES = 200  # Pings, pongs and goodbyes, in ten seconds.
MOST_FRAGMENTS = 256  # Of one message.
MOST_RECENT_FRAGMENTS = 4096  # In ten seconds: 60 messages of 64 KiB in pieces of a kibibyte.
RECENT_SECONDS = 10.0
MOST_QUEUED_FRAMES = 16  # Messages that wait for the application.


class RecentCount:
    """How often something has happened in these ten seconds."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count, self._since = 0, 0.0

    def is_exceeded(self) -> bool:
        """By this time, which counts."""
        now = time.monotonic()
        if now - self._since >= RECENT_SECONDS:
            self._count, self._since = 0, now
        self._count += 1
        return self._count > self._most


class FrameCount:
    """The frames of one socket that its application never sees. The others have limits there."""

    def __init__(self) -> None:
        self._controls = RecentCount(MOST_CONTROL_FRAMES)
        self._fragments = RecentCount(MOST_RECENT_FRAGMENTS)
        self._of_this_message = 0

    def is_exceeded(self, opcode: int, *, is_last: bool) -> bool:
        """By this frame, of which only the header has come yet."""
        if opcode >= CONTROL_OPCODES:
            return self._controls.is_exceeded()
        self._of_this_message += 1
        too_many = self._of_this_message > MOST_FRAGMENTS
        if is_last:
            self._of_this_message = 0
            return too_many
        return self._fragments.is_exceeded() or too_many
