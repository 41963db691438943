"""The machine, for a moment here and for long by `bin/faults model`; and that it finds bugs."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model import options
from tests.model.conversing import Conversing
from tests.model.planted import BUGS
from tests.model.world import World

EXAMPLES = 25
STEPS, STEPS_HERE = 12, 8
SOON_FOUND, MOST_EXAMPLES = 3, 20


@pytest.fixture
def world(transactional_db: None, settings: Any) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        made = World(patch, settings)
        yield made
        made.close()


def run(world: World, *, examples: int, steps: int, long: bool = False) -> None:
    """Long runs are another each time, and show the shortest way to what they find."""
    Conversing.world = world
    Conversing.totals.clear()
    Conversing.reports = long
    phases = [Phase.generate, *([Phase.shrink] if long else [])]
    run_state_machine_as_test(
        Conversing,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=not long,
            database=None,
            phases=phases,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_what_everybody_holds_is_what_is_there(world: World, request: Any) -> None:
    asked = options.read(request.config, "examples")
    steps = options.read(request.config, "steps", STEPS_HERE) or STEPS_HERE
    run(world, examples=asked or EXAMPLES, steps=steps, long=asked is not None)
    totals = Conversing.totals
    assert totals["examples"] >= (asked or EXAMPLES)
    if asked is not None:
        print("\n" + "\n".join(f"{number:8,} {name}" for name, number in totals.most_common()))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Those that are soon found here; all of them by `bin/faults model --planted`."""
    if "plant" in metafunc.fixturenames:
        long = options.read(metafunc.config, "examples") is not None
        bugs = BUGS if long else BUGS[:SOON_FOUND]
        metafunc.parametrize("plant", bugs, ids=[plant.__name__ for plant in bugs])


def test_a_planted_bug_is_found(
    plant: Any, world: World, monkeypatch: pytest.MonkeyPatch, request: Any
) -> None:
    plant(monkeypatch)
    examples = options.read(request.config, "examples", MOST_EXAMPLES) or MOST_EXAMPLES
    with pytest.raises(AssertionError):
        run(world, examples=examples, steps=STEPS)
    print(f"{plant.__name__}: found in example {Conversing.totals['examples']}", flush=True)
