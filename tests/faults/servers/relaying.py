"""One connection through a fault proxy: two sockets, and what stands between them.

Runs in the proxies' own process, so that the campaign's clients and the proxies do not wait for
each other. Protocols and not streams: what is passed on costs one call.
"""

import asyncio
import contextlib
import socket
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

TICK_SECONDS = 0.1
# A reply that comes in several pieces, and requests that are on their way, still get there.
SECONDS_FROM_SWALLOW_TO_CUT = 0.2
RESET_AT_ONCE = struct.pack("ii", 1, 0)

Connect = Callable[[Callable[[], asyncio.Protocol]], "asyncio.Future[object]"]


@dataclass(frozen=True)
class Fault:
    """What befalls a connection. `rate` is for slow ones: bytes a second and direction."""

    mode: str = "pass"
    rate: float = 4096


class Side(asyncio.Protocol):
    """One of the two sockets. Reading stops while anybody holds it, for whatever reason."""

    def __init__(self, relay: "Relay") -> None:
        self.relay = relay
        self.transport: asyncio.Transport | None = None
        self.held_by: set[str] = set()
        self.waiting = bytearray()  # What a slow line has not passed on yet.
        self.timer: asyncio.TimerHandle | None = None
        self.has_ended = False

    @property
    def other(self) -> "Side":
        return self.relay.server if self is self.relay.client else self.relay.client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        # Not here: the first releases of Python 3.11 begin to read after this, paused or not.
        asyncio.get_running_loop().call_soon(self._pause_if_held)
        self.relay.begin(self)

    def _pause_if_held(self) -> None:
        if self.held_by and self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()
            self.transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        self.relay.carry(self, data)

    def pause_writing(self) -> None:
        self.other.hold("full")

    def resume_writing(self) -> None:
        self.other.release("full")

    def eof_received(self) -> bool:
        """The other direction stays open until it has ended too."""
        self.has_ended = True
        if not self.waiting:
            self.pass_end_on()
        return not self.other.has_ended

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        self.relay.lose(self, was_reset=error is not None)

    def hold(self, reason: str) -> None:
        if not self.held_by and self.transport is not None:
            self.transport.pause_reading()
        self.held_by.add(reason)

    def release(self, reason: str) -> None:
        if reason not in self.held_by:
            return
        self.held_by.discard(reason)
        if not self.held_by and self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def write(self, data: bytes | bytearray) -> None:
        if data and self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def pass_end_on(self) -> None:
        transport = self.other.transport
        if transport is not None and not transport.is_closing() and transport.can_write_eof():
            with contextlib.suppress(OSError):
                transport.write_eof()

    def close(self) -> None:
        """After what was written has left."""
        if self.transport is not None:
            self.transport.close()

    def reset(self) -> None:
        """At once, and the other end is told so: RST, which only TCP has."""
        if self.transport is None:
            return
        peer = self.transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_ONCE)
        self.transport.abort()


class Relay:
    """A client's connection and the one that was opened upstream for it."""

    def __init__(
        self,
        *,
        connect: Connect,
        fault: Fault,
        counts: Counter[str],
        ended: Callable[["Relay"], None],
    ) -> None:
        self.connect, self.counts, self.ended = connect, counts, ended
        self.fault = fault
        self.client, self.server = Side(self), Side(self)
        self.is_cut = False
        self.is_connecting = False
        self.has_asked = False  # Since the replies began to be swallowed.
        self.timer: asyncio.TimerHandle | None = None
        self.client.hold("no upstream")

    def begin(self, side: Side) -> None:
        if side is self.server:
            self.client.release("no upstream")
        else:
            self.suffer(self.fault)
        if self.is_cut:
            side.reset()
        elif self.client.transport is None:
            side.close()

    def suffer(self, fault: Fault) -> None:
        """From now on, whatever was before."""
        self.fault, self.has_asked = fault, False
        for side in (self.client, self.server):
            if fault.mode == "blackhole":
                side.hold("hole")
                continue
            side.release("hole")
            if fault.mode != "slow":
                self.flush(side)
        if fault.mode == "reset":
            self.cut("reset")
        elif fault.mode != "blackhole" and not self.is_connecting:
            self.is_connecting = True
            self.connect(lambda: self.server).add_done_callback(self.connected)

    def connected(self, attempt: "asyncio.Future[object]") -> None:
        if attempt.cancelled() or attempt.exception() is not None:
            self.cut("refused")

    def carry(self, side: Side, data: bytes) -> None:
        mode = self.fault.mode
        # Also when it heals before the cut: no line loses a piece and passes on what follows it.
        is_swallowing = self.timer is not None or (mode == "swallow" and self.has_asked)
        if is_swallowing and side is self.server:
            self.swallow(data)
        elif mode == "slow" or side.waiting:
            self.carry_slowly(side, data)
        else:
            self.has_asked = self.has_asked or side is self.client
            side.other.write(data)

    def swallow(self, data: bytes) -> None:
        self.counts["bytes swallowed"] += len(data)
        if self.timer is None:  # More may come: it is the reply to one thing that was asked.
            self.counts["replies swallowed"] += 1
            loop = asyncio.get_running_loop()
            self.timer = loop.call_later(SECONDS_FROM_SWALLOW_TO_CUT, self.cut, "swallowed")

    def carry_slowly(self, side: Side, data: bytes) -> None:
        side.hold("slow")
        side.waiting += data
        if side.timer is None:
            self.wait(side)

    def wait(self, side: Side) -> None:
        side.timer = asyncio.get_running_loop().call_later(TICK_SECONDS, self.trickle, side)

    def trickle(self, side: Side) -> None:
        side.timer = None
        if self.is_cut or not side.waiting:
            return
        if self.fault.mode != "blackhole":
            size = max(1, int(self.fault.rate * TICK_SECONDS))
            side.other.write(side.waiting[:size])
            del side.waiting[:size]
        if side.waiting:
            self.wait(side)
        else:
            self.flush(side)

    def flush(self, side: Side) -> None:
        """Everything that waits, and then on as usual."""
        side.other.write(side.waiting)
        side.waiting.clear()
        side.release("slow")
        if side.has_ended:
            side.pass_end_on()

    def cut(self, why: str) -> None:
        if self.is_cut:
            return
        self.is_cut = True
        self.counts[why] += 1
        self.client.reset()
        self.server.reset()

    def lose(self, side: Side, *, was_reset: bool) -> None:
        """One side has gone, so the other goes: in the same way."""
        if was_reset:
            self.is_cut = True
            side.other.reset()
        else:
            self.flush(side)
            side.other.close()
        if self.client.transport is None and self.server.transport is None:
            for timer in (self.timer, self.client.timer, self.server.timer):
                if timer is not None:
                    timer.cancel()
            self.ended(self)
