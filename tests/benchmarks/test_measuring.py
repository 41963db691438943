"""A short measurement on real servers: it measures something, and finds nothing lost."""

from collections.abc import Iterator

import pytest

from benchmarks.contenders.roster import ROSTER
from benchmarks.ground import Ground
from benchmarks.measures.sockets import SOCKETS
from benchmarks.running import take
from benchmarks.taking import Sizes
from tests.services import services

pytestmark = pytest.mark.processes

# So short that it says nothing of speed, on a machine that does other things meanwhile.
SIZES = Sizes(rounds=1, seconds=0.5, warm_up=0.3, rooms=4, in_flight=2, rate=40.0)


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    assert services.directory is not None
    directory = services.directory / "bench"
    directory.mkdir()
    made = Ground(directory, rooms=SIZES.rooms, messages=3)
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.mark.parametrize("name", ["ours", "ours_sqlite", "tutorial"])
def test_messages_go_and_come_and_are_counted(ground: Ground, name: str) -> None:
    taken = take(SOCKETS, ground, SIZES, name)
    assert not any(taken.mistakes.values()), taken.mistakes
    assert all(value >= 0 for value in taken.figures.values())
    assert taken.figures["rate"] > 0
    assert 0 < taken.figures["p50"] <= taken.figures["p99"]
    assert taken.usage.by_name["server"] > 0
    stores_in_postgresql = ROSTER[name].stores and ROSTER[name].database == "postgresql"
    seconds = taken.usage.by_name
    if stores_in_postgresql:
        assert seconds["database"] > 0
    else:  # One that stores nothing wakes now and then, for a vacuum or a checkpoint.
        assert seconds["database"] <= max(0.03, 0.1 * seconds["server"]), seconds
