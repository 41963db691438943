"""What the checker excuses: by load only a few sends, and nothing that grows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.checker import Verdict, judge
from tests.faults.checker.resources import LEAST_QUIET
from tests.faults.checker.windows import AFTERMATH
from tests.faults.spoiled.running import (
    close_sockets_with_an_error,
    fail,
    fail_while_redis_is_away,
)
from tests.faults.spoiled.spoiling import find
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_lines import HERS, SOL
from tests.faults.spoiled.story_told import tell_story


def judge_story(story: Story, directory: Path, **how: Any) -> dict[str, Verdict]:
    verdicts = judge(story.write(directory / "history.jsonl"), story.final, **how)
    return {verdict.invariant: verdict for verdict in verdicts}


# --- What is open ---------------------------------------------------------------------------------


def measure(story: Story, web: int = 31, connections: int = 12, phase: str = "control") -> None:
    story.phase(phase)
    story.measure()
    value = story.lines[-1]["value"]
    value["descriptors"]["web2"], value["connections"] = web, connections


LONG, SHORT = LEAST_QUIET + 6, LEAST_QUIET - 6


@pytest.mark.parametrize("count", [LONG, SHORT])
def test_what_is_open_may_go_up_and_down(count: int, tmp_path: Path) -> None:
    """Pools fill in the first third; where there are few moments, also later."""
    story = Story()
    for number in range(count):
        measure(story, min(31 + 4 * number, 60) + number % 3, 12 + number % 2)
    assert judge_story(story, tmp_path)["I13"].holds


def end_higher(story: Story, count: int) -> None:
    for _ in range(count - 1):
        measure(story)
    measure(story, web=31 + 20)


def creep(story: Story, count: int) -> None:
    """And as at first in the end, when a new process was started."""
    for number in range(count - 1):
        measure(story, web=31 + number)
    measure(story)


def keep_connections(story: Story, count: int) -> None:
    for _ in range(count - 1):
        measure(story)
    measure(story, connections=12 + 12)


def excuse_it_while_it_heals(story: Story, count: int) -> None:
    """A moment in which everybody comes back is none to compare with."""
    for _ in range(count - 1):
        measure(story)
        measure(story, web=500, phase="healing")
    measure(story, web=31 + 20)


@pytest.mark.parametrize("grow", [end_higher, creep, keep_connections, excuse_it_while_it_heals])
def test_what_grows_is_seen_in_a_long_run(
    grow: Callable[[Story, int], None], tmp_path: Path
) -> None:
    story = Story()
    grow(story, LONG)
    verdict = judge_story(story, tmp_path)["I13"]
    assert not verdict.holds
    assert "in the first third" in verdict.examples[0]
    few = Story()
    grow(few, SHORT)
    verdict = judge_story(few, tmp_path)["I13"]
    assert verdict.holds, verdict.examples
    assert "too few to tell a trend" in verdict.note


# --- Who reads nothing, and who comes back --------------------------------------------------------


def never_read(story: Story, **told: object) -> None:
    story.fault("flood", "web1 (unread)", 9, seconds=26)
    about = {"status": 101, "messages": 300, "given": 25.0, "seconds": None, "effect": 0}
    story.lines[-1]["value"] = {**about, **told}


def hurt_meanwhile(story: Story, what: str, target: str) -> None:
    """While nobody had read for ten seconds."""
    at = story.at
    story.fault(what, target, 9)
    for line in story.lines[-2:]:
        line["at"] -= 16
    story.at = at


@pytest.mark.parametrize(
    ("told", "others", "holds"),
    [
        ({"seconds": 14.5, "effect": 1}, [], True),
        ({"seconds": 14.5}, [], True),  # For another reason.
        ({}, [], False),
        ({"given": 23.0}, [], True),  # Too short to say so.
        ({"messages": 9}, [], True),  # Too little to fill anything.
        ({"status": 403}, [], True),
        ({}, [("pause", "web1")], True),
        ({}, [("kill", "database")], True),
        ({}, [("pause", "web2"), ("kill", "mail"), ("cut", "client→web1")], False),
        ({}, [("flood", "web1 (flooded)")], False),
    ],
)
def test_who_reads_nothing_is_cut(
    told: dict[str, object], others: list[tuple[str, str]], holds: bool, tmp_path: Path
) -> None:
    story = tell_story()
    never_read(story, **told)
    for what, target in others:
        hurt_meanwhile(story, what, target)
    verdict = judge_story(story, tmp_path)["I13"]
    assert verdict.holds is holds, verdict.examples


@pytest.mark.parametrize("what", ["kill", "stop_politely", "failpoint"])
@pytest.mark.parametrize(("back", "holds"), [(6.0, True), (21.0, False)])
def test_a_web_process_comes_back_soon(what: str, back: float, holds: bool, tmp_path: Path) -> None:
    story = tell_story()
    story.fault(what, "web2", 1, seconds=back + 1, back=back)
    verdict = judge_story(story, tmp_path)["I14"]
    assert verdict.holds is holds, verdict.examples
    assert judge_story(story, tmp_path, is_busy=True)["I14"].holds


def test_while_something_else_is_hurt_a_web_process_may_take_longer(tmp_path: Path) -> None:
    story = tell_story()
    story.fault("kill", "web2", 1, seconds=22, back=21.0)
    hurt_meanwhile(story, "pause", "database")
    verdict = judge_story(story, tmp_path)["I14"]
    assert verdict.holds, verdict.examples


def test_a_web_process_that_does_not_come_back_is_seen(tmp_path: Path) -> None:
    story = tell_story()
    story.fault("kill", "web2", 1, seconds=120)
    story.lines[-1] |= {"state": "fail", "value": {"effect": 1, "why": "it does not answer"}}
    verdict = judge_story(story, tmp_path)["I14"]
    assert not verdict.holds
    assert "web2" in verdict.examples[-1]


# --- A machine that does something else besides ---------------------------------------------------


def fail_for_load(story: Story) -> None:
    fail(story, "ReadTimeout")


def fail_inside(story: Story) -> None:
    fail(story, "status 500")


def fail_once_without_redis(story: Story) -> None:
    fail_while_redis_is_away(story)


def fail_often_without_redis(story: Story) -> None:
    for _ in range(5):
        fail_while_redis_is_away(story)


@pytest.mark.parametrize(
    ("spoil", "holds"),
    [
        (fail_for_load, True),
        (fail_inside, False),
        (fail_once_without_redis, True),  # Although not one failed with nothing hurt.
        (fail_often_without_redis, False),
        (close_sockets_with_an_error, False),
    ],
)
def test_load_excuses_few_answers_and_no_error(
    spoil: Callable[[Story], None], holds: bool, tmp_path: Path
) -> None:
    story = tell_story()
    spoil(story)
    verdict = judge_story(story, tmp_path, control_p99=None, is_busy=True)["I14"]
    assert verdict.holds is holds, verdict.examples
    # No speed is asked for, and everything else is.
    assert not judge_story(story, tmp_path, control_p99=None)["I14"].holds


def test_who_runs_by_a_wrong_clock_may_end_sockets(tmp_path: Path) -> None:
    for target, holds in (("web1", True), ("worker1", False)):
        story = tell_story()
        close_sockets_with_an_error(story)
        line = {"at": 0.0, "who": "nemesis", "kind": "clock", "operation": 9000}
        asked = {"nemesis": 11, "target": target, "seconds": -60}
        story.lines.insert(0, {**line, "state": "invoke", "value": asked})
        story.lines.append({**line, "at": 400.0, "state": "ok", "value": {"effect": 1}})
        assert judge_story(story, tmp_path)["I14"].holds is holds


@pytest.mark.parametrize(
    ("is_hurt", "is_ready", "holds"),
    [(True, False, True), (True, True, False), (False, False, False)],
)
def test_who_was_not_let_in_may_wait_until_the_end_of_a_fault(
    is_hurt: bool, is_ready: bool, holds: bool, tmp_path: Path
) -> None:
    """Closed with 4411 long after a web process was killed, which is no excuse for who was in."""
    story = tell_story()
    hers = story.final.conversations[HERS]
    asked = {"person": SOL, "tab": 9, "conversation": HERS, "after": hers.revision, "web": 1}
    line = story.connect("2.9", hers, hers.revision) if is_ready else None
    opening = line or story.invoke("2.9", "connect", **asked, session=1)
    if is_hurt:
        story.fault("kill", "web2", 1)
    story.wait(AFTERMATH + 2)
    if not is_ready:
        story.end(opening, "unknown", why="closed before ready")
    story.close("2.9", opening, hers, 4411, own=False)
    verdict = judge_story(story, tmp_path)["I14"]
    assert verdict.holds is holds, verdict.examples


@pytest.mark.parametrize(("others", "holds"), [(0, False), (4, True)])
def test_load_excuses_one_process_that_takes_longer_to_end(
    others: int, holds: bool, tmp_path: Path
) -> None:
    story = tell_story()
    for _ in range(others):
        story.fault("stop_politely", "web1", 2, in_time=True)
    find(story, "stop_politely", "ok")["value"]["in_time"] = False
    assert not judge_story(story, tmp_path)["I14"].holds
    verdict = judge_story(story, tmp_path, control_p99=None, is_busy=True)["I14"]
    assert verdict.holds is holds, verdict.examples
