"""What comes late is excused by a fault on its own way only, and by one that met something."""

from pathlib import Path
from typing import Any

import pytest

from tests.faults.checker import Verdict, judge
from tests.faults.checker.known import COUNTED, Fault, Known
from tests.faults.checker.reading import Reading
from tests.faults.checker.windows import AFTERMATH, Way
from tests.faults.final_state import FinalState
from tests.faults.spoiled.shown import tell_late
from tests.faults.spoiled.spoiling import find, frames
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_told import tell_story

LIMIT = 5.0  # A heartbeat and 2 s.


def judge_story(story: Story, directory: Path, **how: Any) -> dict[str, Verdict]:
    verdicts = judge(story.write(directory / "history.jsonl"), story.final, **how)
    return {verdict.invariant: verdict for verdict in verdicts}


# --- Excuses -------------------------------------------------------------------------------------


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
        ("pause", "redis", [(-1.0, 1.0), (4.5, 8.0)], True),  # Hurt again before it was due.
        ("pause", "redis", [(-1.0, 1.0), (5.5, 8.0)], False),  # Hurt when it was due already.
        ("pause", "redis", [(-1.0, 1.0), (6.5, 11.0), (9.0, 12.0)], False),
        ("pause", "redis", [(-1.0, 6.0), (5.5, 8.0)], True),  # Hurt without a break.
        ("pause", "database", [(-1.0, 1.0)], True),  # Whose return takes 10 s.
        ("cut", "web1→database", [(1.0, 1.0)], False),  # The way there is whole.
        ("swallow", "web1→database", [(1.0, 2.5)], False),
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


@pytest.mark.parametrize("target", ["client→web1", "web1→redis", "redis"])
@pytest.mark.parametrize("what", ["cut", "swallow", "client_kill", "flush"])
def test_who_is_still_there_was_not_cut(what: str, target: str, tmp_path: Path) -> None:
    """And a heartbeat brings what the layer lost."""
    story = tell_story()
    tell_late_after(story, what, target, *((at, at + 1.5) for at in range(-1, 12)))
    assert not judge_story(story, tmp_path)["I4"].holds


@pytest.mark.parametrize(("effect", "holds"), [(1, True), (0, False)])
@pytest.mark.parametrize(
    ("what", "target"),
    [("blackhole", "web1→redis"), ("slow", "client→web1"), ("disk_full", "database")],
)
def test_a_fault_that_met_nothing_excuses_nothing(
    what: str, target: str, effect: int, holds: bool, tmp_path: Path
) -> None:
    story = tell_story()
    tell_late_after(story, what, target, (-1.0, 8.0))
    find(story, what, "ok", effect=1)["value"]["effect"] = effect
    verdict = judge_story(story, tmp_path)["I4"]
    assert verdict.holds is holds, verdict.examples


def test_what_ends_or_begins_processes_is_a_fault_whatever_it_met(tmp_path: Path) -> None:
    story, known = Story(), Known(FinalState(at=0.0, refusals=[]))
    for what in (*COUNTED, "failpoint", "clock", "kill"):
        story.fault(what, "web1", 7, effect=0)
    Reading([known]).read(story.write(tmp_path / "history.jsonl"))
    assert [fault.what for fault in known.faults] == ["failpoint", "clock", "kill"]


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
