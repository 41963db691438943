"""Past Twisted's own way to the kernel, and never past what encrypts."""

from typing import Any

from twisted.protocols.policies import ProtocolWrapper

from messaging.daphne_frames import write_now


class Wire:
    """A connection as Twisted keeps it, inside what encrypts."""

    connected, disconnecting, TLS = True, False, False
    dataBuffer = b""  # noqa: N815
    _tempDataBuffer: tuple[bytes, ...] = ()  # noqa: N815

    def __init__(self) -> None:
        self.in_clear: list[bytes] = []

    def writeSomeData(self, data: bytes) -> int:  # noqa: N802
        self.in_clear.append(data)
        return len(data)


class Encrypting(ProtocolWrapper):
    """It hands on to the connection whatever it is asked for and does not know, as for TLS."""

    def __init__(self, wire: Any) -> None:
        self.transport, self.connected = wire, 1
        self.encrypted: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.encrypted.append(data)


def test_nothing_goes_past_what_encrypts() -> None:
    wire = Wire()
    line = Encrypting(wire)
    assert line.connected
    write_now(line, b"From Ana")
    assert (wire.in_clear, line.encrypted) == ([], [b"From Ana"])
