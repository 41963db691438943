"""Ports for what is killed and started again while thousands of connections come and go.

The kernel gives outgoing connections ports of its own range, and would give away ours while the
process behind it is dead.
"""

import itertools
import os
import socket

FIRST, LAST = 15_000, 30_000  # Below the range that Linux and others take from.

_next = itertools.count(FIRST + (os.getpid() * 37) % (LAST - FIRST))


def find_quiet_port() -> int:
    """One that nobody listens on, and that no outgoing connection will be given."""
    for candidate in itertools.islice(_next, LAST - FIRST):
        port = FIRST + (candidate - FIRST) % (LAST - FIRST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise RuntimeError(f"No port from {FIRST} to {LAST} is free.")
