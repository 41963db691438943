"""Each mode of the fault proxy does what it says; the same thing in pass mode is the control."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from marketplace.development.children import wait_until
from tests.faults.servers.network import FaultProxy, Mode, Network
from tests.faults.servers.processes import descriptors_of
from tests.services.places import PROJECT, is_running, reachable

pytestmark = pytest.mark.processes

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[FaultProxy], Awaitable[Streams]]

SECONDS = 10
# How long nothing must come before it counts as nothing.
QUIET_SECONDS = 0.4


class Upstream:
    """Answers each line with the same line and `!`, and remembers what it was sent."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while line := await reader.readline():
                self.lines.append(line.strip())
                writer.write(line.strip() + b"!\n")
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    running = Network(tmp_path_factory.mktemp("network") / "proxies.log").start()
    yield running
    running.stop()


@pytest.fixture
async def upstream(tmp_path: Path) -> AsyncIterator[Upstream]:
    """On a unix socket, where our PostgreSQL and Redis are too."""
    running = Upstream()
    path = reachable(tmp_path) / "upstream"
    async with await asyncio.start_unix_server(running.serve, path, limit=2**24):
        yield running


@pytest.fixture
def proxy(network: Network, upstream: Upstream, tmp_path: Path) -> FaultProxy:
    return network.open(tmp_path.name, reachable(tmp_path) / "upstream", "http://127.0.0.1:{port}")


@pytest.fixture
async def dial() -> AsyncIterator[Dial]:
    """Connects to a proxy; what is open at the end is closed."""
    writers = []

    async def connect(proxy: FaultProxy) -> Streams:
        streams = await asyncio.open_connection("127.0.0.1", proxy.port, limit=2**24)
        writers.append(streams[1])
        return streams

    yield connect
    for writer in writers:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def ask(streams: Streams, line: bytes) -> bytes:
    """The answer; empty when the connection ended in order."""
    reader, writer = streams
    writer.write(line + b"\n")
    async with asyncio.timeout(SECONDS):
        return (await reader.readline()).strip()


async def hears_nothing(streams: Streams) -> bool:
    try:
        async with asyncio.timeout(QUIET_SECONDS):
            return not await streams[0].read(1)
    except TimeoutError:
        return True


async def test_passes_everything_on(dial: Dial, proxy: FaultProxy, upstream: Upstream) -> None:
    streams = await dial(proxy)
    assert await ask(streams, b"hello") == b"hello!"
    long = b"x" * 3_000_000
    assert await ask(streams, long) == long + b"!"
    assert upstream.lines == [b"hello", long]


async def test_passes_on_over_tcp(dial: Dial, network: Network) -> None:
    upstream = Upstream()
    async with await asyncio.start_server(upstream.serve, "127.0.0.1", 0) as server:
        address = server.sockets[0].getsockname()
        proxy = network.open("tcp", ("127.0.0.1", address[1]), "http://127.0.0.1:{port}")
        streams = await dial(proxy)
        assert await ask(streams, b"hello") == b"hello!"


async def test_what_comes_under_a_fault_is_counted(dial: Dial, proxy: FaultProxy) -> None:
    """By which a fault is known to have met something."""
    await ask(await dial(proxy), b"control")
    assert proxy.counts()["befallen"] == 0
    proxy.set("slow", share=1.0, rate=1_000_000)
    await ask(await dial(proxy), b"slow")
    proxy.heal()
    await ask(await dial(proxy), b"healed")
    counts = proxy.counts()
    assert (counts["accepted"], counts["befallen"]) == (3, 1)


async def test_the_end_of_one_direction_leaves_the_other_open(
    dial: Dial, proxy: FaultProxy
) -> None:
    reader, writer = await dial(proxy)
    writer.write(b"last words\n")
    writer.write_eof()
    async with asyncio.timeout(SECONDS):
        assert await reader.read() == b"last words!\n"


async def test_a_black_hole_takes_everything_and_gives_it_back_late(
    dial: Dial, proxy: FaultProxy, upstream: Upstream
) -> None:
    before = await dial(proxy)
    assert await ask(before, b"control") == b"control!"
    proxy.set("blackhole")
    during = await dial(proxy)
    for number, (_, writer) in enumerate((before, during)):
        writer.write(b"late %d\n" % number)
    assert await hears_nothing(before)
    assert await hears_nothing(during)
    assert upstream.lines == [b"control"]
    assert upstream.connections == 1
    proxy.heal()
    assert await ask(before, b"more") == b"late 0!"
    async with asyncio.timeout(SECONDS):
        assert await during[0].readline() == b"late 1!\n"
    assert sorted(upstream.lines) == [b"control", b"late 0", b"late 1", b"more"]


async def test_a_reset_ends_what_is_open_and_what_comes(
    dial: Dial, proxy: FaultProxy, upstream: Upstream
) -> None:
    before = await dial(proxy)
    assert await ask(before, b"control") == b"control!"
    proxy.set("reset")
    with pytest.raises(ConnectionResetError):
        await ask(before, b"lost")
    with pytest.raises(ConnectionResetError):
        await ask(await dial(proxy), b"lost")
    assert upstream.lines == [b"control"]
    assert upstream.connections == 1
    proxy.heal()
    assert await ask(await dial(proxy), b"again") == b"again!"


async def test_a_swallowed_reply_was_asked_for(
    dial: Dial, proxy: FaultProxy, upstream: Upstream
) -> None:
    before = await dial(proxy)
    assert await ask(before, b"control") == b"control!"
    proxy.set("swallow")
    with pytest.raises(ConnectionResetError):
        await ask(before, b"delivered")
    with pytest.raises(ConnectionResetError):
        await ask(await dial(proxy), b"delivered too")
    assert upstream.lines == [b"control", b"delivered", b"delivered too"]
    assert proxy.counts()["swallowed"] == proxy.counts()["replies swallowed"] == 2


@pytest.mark.parametrize("mode", ["pass", "slow"])
async def test_a_line_that_has_swallowed_something_passes_nothing_on(
    dial: Dial, proxy: FaultProxy, mode: Mode
) -> None:
    """Healed before it was cut: no line loses a piece and passes on what follows it."""
    reader, writer = await dial(proxy)
    assert await ask((reader, writer), b"control") == b"control!"
    proxy.set("swallow")
    writer.write(b"delivered\n")
    async with asyncio.timeout(SECONDS):
        while not proxy.counts().get("replies swallowed"):
            await asyncio.sleep(0.01)
    proxy.set(mode)
    with pytest.raises(ConnectionResetError):
        await ask((reader, writer), b"and more")


async def test_a_slow_line_brings_everything_in_time(dial: Dial, proxy: FaultProxy) -> None:
    streams = await dial(proxy)
    assert await ask(streams, b"control") == b"control!"
    proxy.set("slow", rate=20_000)
    began = time.monotonic()
    assert await ask(streams, b"y" * 10_000) == b"y" * 10_000 + b"!"
    assert time.monotonic() - began > 0.8  # Half a second there and half a second back.
    began = time.monotonic()
    streams[1].write(b"z" * 1_000_000 + b"\n")
    assert await hears_nothing(streams)
    proxy.heal()
    async with asyncio.timeout(SECONDS):
        assert (await streams[0].readline()).strip() == b"z" * 1_000_000 + b"!"


async def test_a_share_of_the_connections_is_chosen(dial: Dial, proxy: FaultProxy) -> None:
    several = [await dial(proxy) for _ in range(100)]
    for streams in several:
        assert await ask(streams, b"control") == b"control!"
    chosen = proxy.cut(share=0.3)
    answers = await asyncio.gather(
        *(ask(streams, b"still") for streams in several), return_exceptions=True
    )
    assert answers.count(b"still!") == 100 - chosen
    assert sum(isinstance(answer, ConnectionResetError) for answer in answers) == chosen
    assert 10 < chosen < 60
    assert await ask(await dial(proxy), b"new") == b"new!"  # Only what was open.


async def test_who_cannot_be_reached_is_told_at_once(
    dial: Dial, network: Network, tmp_path: Path
) -> None:
    proxy = network.open("nobody", tmp_path / "nobody", "http://127.0.0.1:{port}")
    with pytest.raises(ConnectionResetError):
        await ask(await dial(proxy), b"hello")
    assert proxy.counts()["refused"] == 1


@pytest.mark.parametrize("mode", ["pass", "blackhole", "reset", "swallow", "slow"])
async def test_nothing_is_left_behind(
    dial: Dial, network: Network, proxy: FaultProxy, mode: str
) -> None:
    assert network.process is not None
    pid = network.process.pid
    before = descriptors_of(pid)
    several = [await dial(proxy) for _ in range(30)]
    async with asyncio.timeout(SECONDS):
        while proxy.counts()["open"] < 30:
            await asyncio.sleep(0.02)
    assert descriptors_of(pid) > before
    proxy.set(mode, share=0.7)  # type: ignore[arg-type]
    for _, writer in several:
        writer.write(b"hello\n")
    await asyncio.sleep(0)
    for _, writer in several:
        writer.close()
    proxy.set("pass")
    async with asyncio.timeout(SECONDS):
        while proxy.counts()["open"] or descriptors_of(pid) > before:
            await asyncio.sleep(0.02)


def test_the_proxies_die_with_whoever_started_them(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys, time; from tests.faults.servers.network import Network;"
        f" network = Network(pathlib.Path({str(tmp_path)!r}) / 'log').start();"
        " print(network.process.pid, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE) as maker:
        assert maker.stdout is not None
        pid = int(maker.stdout.readline())
        assert is_running(pid)
        os.kill(maker.pid, signal.SIGKILL)
    wait_until(lambda: not is_running(pid), seconds=SECONDS, what="the end of the proxies")
