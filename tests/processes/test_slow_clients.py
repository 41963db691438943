"""Clients that do not read are closed before they cost much; whoever reads notices nothing, and
one who has much to read, over a good line or a bad one, gets everything."""

from collections.abc import Iterator

import pytest

from tests.live import Live
from tests.processes.crowds import (
    come_and_go,
    count_too_slow,
    make_talks,
    measure_stalled,
    replay,
    stalled_sockets,
    until,
    until_quiet,
)
from tests.processes.pressing import MEBIBYTE, Memory

pytestmark = pytest.mark.processes

FEW, MANY = 12, 48  # Clients; they may cost a mebibyte each.
CHANGES = 10_000
TEXT = "Is it still there? " * 20
SLOW_BYTES_PER_SECOND = 1_500_000
VISITS = 200
POOL = 20  # Connections to the database, of which there may be more by then.
MOST_GROWTH_OF_VISITS = (
    16.0  # MiB, of which some is the allocator's. Five thousand: docs/faults.md.
)


@pytest.fixture(scope="module")
def port(live: Live) -> Iterator[int]:
    """Of a process that has only these clients. Those who leave nothing come first."""
    with live.another_web() as found:
        yield found


async def test_who_comes_and_goes_leaves_nothing(live: Live, port: int) -> None:
    talks = make_talks(live, port, 2)
    await come_and_go(talks, VISITS // 2)
    memory = Memory(live.processes["another web"].pid)
    descriptors = await until_quiet(memory)
    await come_and_go(talks, VISITS)
    assert await until_quiet(memory) < descriptors + POOL
    assert memory.growth < MOST_GROWTH_OF_VISITS


async def test_who_does_not_read_is_cut_and_others_get_everything(live: Live, port: int) -> None:
    """The difference tells what one costs: what the process needs besides is the same."""
    few, many = await measure_stalled(live, port, (FEW, MANY))
    print(f"{FEW} cost {few:.1f} MiB, {MANY} cost {many:.1f} MiB")
    assert many - few <= MANY - FEW
    assert many <= MANY


async def test_a_long_replay_is_not_taken_for_one_that_stalls(live: Live, port: int) -> None:
    """Beside some that do stall, and are closed although nobody writes: they take nothing."""
    [talk] = make_talks(live, port, 1)
    talk.add(CHANGES - 1, TEXT)
    everything = list(range(1, CHANGES + 1))
    async with stalled_sockets(talk, each=2):
        fast = await replay(talk)
        slow = await replay(talk, bytes_per_second=SLOW_BYTES_PER_SECOND)
        assert fast.sequences == everything
        assert slow.sequences == everything
        # What the slow one did not read at once was in nobody's buffer.
        assert slow.received > 4 * MEBIBYTE
        assert await until(lambda: count_too_slow(talk) == 4)
