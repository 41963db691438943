"""What the checker excuses: late frames by a fault on their own way only, sends by load only a few,
and nothing that grows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.checker import Verdict, judge
from tests.faults.checker.known import Fault
from tests.faults.checker.resources import LEAST_QUIET
from tests.faults.checker.windows import AFTERMATH, Way
from tests.faults.spoiled.running import (
    close_sockets_with_an_error,
    fail,
    fail_while_redis_is_away,
)
from tests.faults.spoiled.shown import tell_late
from tests.faults.spoiled.spoiling import find, frames
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_lines import HERS, SOL
from tests.faults.spoiled.story_told import tell_story

LIMIT = 5.0  # A heartbeat and 2 s.


def judge_story(story: Story, directory: Path, **how: Any) -> dict[str, Verdict]:
    verdicts = judge(story.write(directory / "history.jsonl"), story.final, **how)
    return {verdict.invariant: verdict for verdict in verdicts}


# --- Late frames ----------------------------------------------------------------------------------


def tell_late_after(story: Story, what: str, target: str, *spans: tuple[float, float]) -> None:
    """The frames are twelve seconds late. `spans`: faults, in seconds from when the first of them
    was acknowledged."""
    first = story.lines.index(frames(story)[1])
    acknowledged = story.lines[first - 1]
    assert (acknowledged["kind"], acknowledged["state"]) == ("send", "ok")
    tell_late(story)
    for number, (began, ended) in enumerate(spans, start=9000):
        line = {"who": "nemesis", "kind": what, "operation": number}
        at = acknowledged["at"]
        asked = {"nemesis": 6, "target": target}
        over = {**line, "at": at + ended, "state": "ok", "value": {"effect": 1}}
        story.lines.insert(0, over)
        story.lines.insert(0, {**line, "at": at + began, "state": "invoke", "value": asked})


@pytest.mark.parametrize(
    ("target", "holds"),
    [
        *((target, True) for target in ("redis", "web1", "client→web1", "web1→redis")),
        *((target, False) for target in ("web2", "client→web2", "web2→redis", "web2→database")),
        *((target, False) for target in ("mail", "worker1", "worker→redis")),
    ],
)
def test_late_is_excused_by_what_lies_on_the_way(target: str, holds: bool, tmp_path: Path) -> None:
    """Everybody's sockets are at the first web process."""
    story = tell_story()
    tell_late_after(story, "pause", target, (-1.0, 8.0))
    verdict = judge_story(story, tmp_path)["I4"]
    assert verdict.holds is holds, verdict.examples
    assert ("an excuse for" in verdict.note) is True


def test_the_share_of_the_time_is_told_for_which_there_was_an_excuse(tmp_path: Path) -> None:
    story = tell_story()
    kept = judge_story(story, tmp_path)["I4"].note
    assert "0 frames came later" in kept
    line = {"at": 0.0, "who": "nemesis", "kind": "pause", "operation": 9000}
    asked = {"nemesis": 6, "target": "web1"}
    story.lines.insert(0, {**line, "state": "invoke", "value": asked})
    story.lines.append({**line, "at": 80.0, "state": "ok", "value": {"effect": 1}})
    told = judge_story(story, tmp_path)["I4"].note
    assert share_in(told) > share_in(kept) > 0


def share_in(note: str) -> int:
    return int(note.partition("excuse for ")[2].partition("%")[0])


@pytest.mark.parametrize(
    ("what", "target", "spans", "holds"),
    [
        ("pause", "redis", [(-1.0, 1.0)], False),  # Its heartbeat came long before.
        ("pause", "redis", [(-1.0, 1.0), (5.5, 8.0)], True),  # Hurt again before it was due.
        ("pause", "redis", [(-1.0, 1.0), (6.5, 11.0)], False),  # Hurt when it was due already.
        ("pause", "redis", [(-1.0, 1.0), (6.5, 11.0), (9.0, 12.0)], False),
        ("pause", "database", [(-1.0, 1.0)], True),  # Whose return takes 10 s.
        ("cut", "web1→database", [(1.0, 1.0)], False),  # The way there is whole.
        ("pause", "redis", [(-9.0, -7.0)], False),  # Over long before.
    ],
)
def test_faults_are_not_chained(
    what: str, target: str, spans: list[tuple[float, float]], holds: bool, tmp_path: Path
) -> None:
    story = tell_story()
    tell_late_after(story, what, target, *spans)
    verdict = judge_story(story, tmp_path)["I4"]
    assert verdict.holds is holds, verdict.examples


def test_a_web_process_that_nobody_told_may_be_either(tmp_path: Path) -> None:
    """Old histories: then the faults of both are an excuse."""
    story = tell_story()
    tell_late_after(story, "pause", "web2", (-1.0, 8.0))
    for line in story.lines:
        if line["kind"] == "connect":
            line["value"].pop("web", None)
    assert judge_story(story, tmp_path)["I4"].holds


def test_a_joined_time_is_counted_once() -> None:
    faults = [Fault(10, 20, "pause", "redis", 6), Fault(15, 25, "pause", "web1", 6)]
    assert Way(faults, 1).share_excused(0, 100, LIMIT) == pytest.approx(0.20)
    assert Way(faults, 2).share_excused(0, 100, LIMIT) == pytest.approx(0.15)
    assert Way([], 1).share_excused(0, 100, LIMIT) == 0
    database = [Fault(10, 20, "pause", "database", 6)]
    assert Way(database, 1).put_off(19, LIMIT) == 20 + AFTERMATH + LIMIT


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
