"""Frames nobody should send: each is answered, none fails. For long by `bin/faults fuzz`."""

import logging
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from messaging import sending, text
from messaging.exceptions import Empty
from messaging.services.drafts import Receipt
from tests.model import options
from tests.model.throwing import PRETENDED, REAL, REAL_FRAMES, Failures, Thrower
from tests.model.world import World

FRAMES = 2_500
SEED = 20_260_101
PAGE_BYTES = resource.getpagesize()
GROWTH_BYTES = 64 * 1024 * 1024


@pytest.fixture
def world(transactional_db: None, settings: Any) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        made = World(patch, settings)
        yield made
        made.close()


@pytest.fixture
def failures() -> Iterator[Failures]:
    found = Failures()
    loggers = [logging.getLogger(name) for name in ("", "messaging", "django", "asyncio")]
    for logger in loggers:
        logger.addHandler(found)
    yield found
    for logger in loggers:
        logger.removeHandler(found)


def memory() -> int:
    """What this process holds now, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


def test_every_frame_gets_its_one_answer(world: World, failures: Failures, request: Any) -> None:
    asked = options.read(request.config, "frames")
    number = asked or FRAMES
    thrower = Thrower(world, options.read(request.config, "seed", SEED) or SEED, failures)
    real = REAL_FRAMES if asked else 20
    thrower.throw(number // 10, real=real)
    before, began, done = memory(), time.monotonic(), thrower.counts["frames"]
    for _ in range(9):
        thrower.throw(number // 10, real=real)
        if asked:
            print(f"{thrower.counts['frames']:,} frames, {memory() >> 20} MiB", flush=True)
    growth, seconds = memory() - before, time.monotonic() - began
    assert thrower.counts["frames"] >= number // 10 * 10
    assert thrower.counts[REAL] + thrower.counts[PRETENDED] == thrower.counts["frames"]
    assert 0 < thrower.counts[REAL] < thrower.counts[PRETENDED]
    assert growth < GROWTH_BYTES
    if asked:
        print("\n".join(f"{count:10,} {name}" for name, count in thrower.counts.most_common()))
        rate = (thrower.counts["frames"] - done) / seconds
        print(f"{rate:,.0f} frames/s, slowest {thrower.slowest * 1000:.0f} ms of processor time")
        print(f"memory grew by {growth / 2**20:.1f} MiB after the first tenth")


def take_surrogates_for_text(patch: pytest.MonkeyPatch) -> None:
    """It fails at the database, or on the way there."""
    patch.setattr(text, "has_lone_surrogate", lambda value: False)


def call_nothing_invalid(patch: pytest.MonkeyPatch) -> None:
    """The answer has the right form and the wrong code."""
    patch.setattr(Empty, "code", "invalid")


def echo_as_it_is_kept(patch: pytest.MonkeyPatch) -> None:
    """The client's id comes back in small letters."""
    patch.setattr(sending, "_ack", lambda receipt, frame: {"type": "ack", **_as_kept(receipt)})


def _as_kept(receipt: Receipt) -> dict[str, Any]:
    return {"conversation": str(receipt.conversation_id), **receipt.as_dict()}


@pytest.mark.parametrize(
    "plant", [take_surrogates_for_text, call_nothing_invalid, echo_as_it_is_kept]
)
def test_what_is_wrong_is_noticed(
    plant: Any, world: World, failures: Failures, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        Thrower(world, SEED, failures).throw(FRAMES)
