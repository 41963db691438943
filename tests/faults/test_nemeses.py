"""Nemeses begin what there is time for, and nothing else."""

import asyncio
import time
from collections import Counter
from random import Random
from typing import Any

import pytest

from tests.faults.nemeses import NEMESES, begin_with, hindering, hostile
from tests.faults.nemeses.field import (
    LEAST,
    Field,
    act_again_and_again,
    act_all_over,
    choose_act,
    needs,
)
from tests.faults.nemeses.hostile import Thrown


@pytest.fixture
def begun() -> Counter[str]:
    return Counter()


def make_field(seconds: float) -> Field:
    """Of a stack that no act here touches."""
    nobody: Any = None
    return Field(6, nobody, Random(1), time.monotonic() + seconds, nobody)


@pytest.fixture
def acts(begun: Counter[str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    async def act_briefly(field: Field) -> None:
        begun["brief"] += 1
        await asyncio.sleep(0.02)

    async def act_for_long(field: Field) -> None:
        begun["long"] += 1

    for act in (act_briefly, act_for_long):
        monkeypatch.setitem(LEAST, act, 0.0)  # Gone again afterwards.
    needs(1000)(act_for_long)
    return {"brief": act_briefly, "long": act_for_long}


@pytest.mark.parametrize("way", [act_again_and_again, act_all_over])
async def test_what_there_is_no_time_for_is_not_begun(
    begun: Counter[str], acts: dict[str, Any], way: Any
) -> None:
    await way(make_field(0.3), list(acts.values()), every=0.05)
    assert begun["brief"] >= 2
    assert begun["long"] == 0
    field = make_field(0.1)
    await way(field, [acts["long"]], every=0.05)
    assert field.left == 0
    assert begun["long"] == 0


async def test_what_is_worst_comes_first_where_there_is_time(
    begun: Counter[str], acts: dict[str, Any]
) -> None:
    await begin_with(acts["long"])(make_field(0.1), [acts["brief"]], every=0.05)
    assert begun["long"] == 0
    needs(0.05)(acts["long"])
    await begin_with(acts["long"])(make_field(0.1), [acts["brief"]], every=0.05)
    assert begun["long"] == 1
    assert begun["brief"] >= 2


def test_nothing_is_hurt_for_a_moment_only() -> None:
    acts = [act for number in (6, 8, 10, 11, 12, 13) for act in NEMESES[number].acts]
    assert min(LEAST[act] for act in acts) >= 1
    field = make_field(2.0)
    assert choose_act(field, [hindering.pause, hostile.stop_reading]).__name__ == "wait"
    assert choose_act(field, [hindering.pause, hindering.cut]) is hindering.cut


def test_a_flood_that_nobody_stopped_met_nothing() -> None:
    thrown = Thrown(frames=10_000, codes=Counter({"let be": 1, "1006": 2, "4412": 3}))
    assert thrown.times_stopped == 0
    thrown.codes.update({"4400": 1, "4429": 2, "1009": 1})
    assert thrown.times_stopped == 4
    thrown.paused = 3
    assert thrown.times_stopped == 7
