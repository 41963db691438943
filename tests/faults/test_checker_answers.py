"""What the checker takes for a reason why something is refused or not answered."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.checker import Verdict, judge, running
from tests.faults.spoiled.ends import LOST, ask_again, close_hers, open_hers, tell_quiet_story
from tests.faults.spoiled.refusals import fail, ignore, refuse
from tests.faults.spoiled.spoiling import find
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_lines import ANA, HERS, SOL, Line
from tests.faults.spoiled.story_told import tell_story


def judge_story(story: Story, directory: Path, **how: Any) -> dict[str, Verdict]:
    verdicts = judge(story.write(directory / "history.jsonl"), story.final, **how)
    return {verdict.invariant: verdict for verdict in verdicts}


# --- Why something is refused ---------------------------------------------------------------------


def test_nobody_writes_to_who_has_left_and_is_not_back_yet(tmp_path: Path) -> None:
    story = tell_quiet_story()
    hers = story.final.conversations[HERS]
    story.send("2.1", hers, state="fail", is_stored=False)
    begun = story.lines[-2:]
    ask_again(story, "1.5")
    assert not judge_story(story, tmp_path)["I2"].holds
    start = next(line for line in story.lines[::-1] if line["kind"] == "start")
    for line in begun:
        line["at"] = start["at"] - 0.05
    assert judge_story(story, tmp_path)["I2"].holds


def set_a_clock_wrong(story: Story, target: str, began: float, ended: float) -> None:
    about = {"who": "nemesis", "kind": "clock", "operation": 9700}
    begun = {**about, "at": began, "state": "invoke", "value": {"nemesis": 11, "target": target}}
    story.lines[:0] = [begun, {**about, "at": ended, "state": "ok", "value": {"effect": 1}}]


@pytest.mark.parametrize(
    ("target", "moment", "holds"),
    [
        *(("web2", moment, True) for moment in ("stored", "edited")),
        *(("web2", moment, False) for moment in ("before", "between", "after")),
        *(("worker1", moment, False) for moment in ("stored", "edited")),
    ],
)
def test_a_wrong_clock_excuses_what_was_dated_by_it(
    target: str, moment: str, holds: bool, tmp_path: Path
) -> None:
    story = tell_quiet_story()
    sent = story.send("1.5", story.final.conversations[HERS], session=2)
    assert sent is not None
    stored = story.at
    story.wait(30)
    about = {"conversation": HERS, "sequence": sent.sequence, "session": 2}
    refuse(story, "1.5", "edit", "forbidden", **about, body="rather")
    edited = story.at
    story.wait(30)
    middle = {"before": stored - 20, "stored": stored, "between": stored + 15}
    middle |= {"edited": edited, "after": edited + 15}
    set_a_clock_wrong(story, target, middle[moment] - 2, middle[moment] + 2)
    assert judge_story(story, tmp_path)["I2"].holds is holds


# --- Why nothing is answered ----------------------------------------------------------------------


def fail_a_pull(story: Story, why: str = "ReadTimeout") -> None:
    fail(story, "pull", why, conversation=HERS, after=0)


def hurt_during(story: Story, target: str, work: Callable[[Story], Any]) -> None:
    operation = story.invoke("nemesis", "pause", nemesis=6, target=target)
    work(story)
    story.end(operation, "ok", effect=1)


@pytest.mark.parametrize(
    ("target", "holds"), [("database", True), ("web2", True), ("redis", False), ("mail", False)]
)
def test_what_is_asked_for_may_fail_while_what_it_needs_is_hurt(
    target: str, holds: bool, tmp_path: Path
) -> None:
    story = tell_quiet_story()
    hurt_during(story, target, fail_a_pull)
    assert judge_story(story, tmp_path)["I14"].holds is holds


@pytest.mark.parametrize(
    ("why", "times", "holds"), [("ReadTimeout", 3, True), ("ReadTimeout", 9, False)]
    + [("status 500", 1, False)],
)  # fmt: skip
def test_load_excuses_few_requests_and_no_error(
    why: str, times: int, holds: bool, tmp_path: Path
) -> None:
    story = tell_quiet_story()
    for _ in range(times):
        fail_a_pull(story, why)
    verdict = judge_story(story, tmp_path, control_p99=None, is_busy=True)["I14"]
    assert verdict.holds is holds, verdict.examples


def test_an_edit_that_its_own_person_left_unanswered_is_no_failure(tmp_path: Path) -> None:
    for own, holds in ((True, True), (False, False)):
        story = tell_quiet_story()
        line = open_hers(story)
        about = {"person": SOL, "conversation": HERS, "sequence": 6, "body": "rather"}
        edit = story.invoke("2.4", "edit", **about, session=1, web=1)
        story.end(edit, "unknown", why="closed")
        close_hers(story, "2.4", line, LOST, own=own)
        assert judge_story(story, tmp_path)["I14"].holds is holds


# --- What is said to be read ----------------------------------------------------------------------


def leave(story: Story) -> None:
    story.final.conversations[HERS].places[ANA].left = True
    story.final.conversations[HERS].places[ANA].unread = 0
    story.do("1.5", "leave", conversation=HERS, session=2, web=1)


def log_out(story: Story) -> None:
    story.do("1.5", "log_out_all", {"session": 2}, session=2, web=1)


def hurt_the_database(story: Story) -> None:
    story.fault("pause", "database", 6)


def hurt_redis(story: Story) -> None:
    story.fault("pause", "redis", 6)


def close_soon(story: Story) -> None:
    connect = next(line for line in story.lines[::-1] if line["kind"] == "connect")
    close_hers(story, "1.5", connect["operation"], LOST, own=True)


def close_later(story: Story) -> None:
    story.wait(6)
    close_soon(story)


@pytest.mark.parametrize(
    ("meanwhile", "holds"),
    [
        *((each, True) for each in (leave, log_out, hurt_the_database, close_soon)),
        *((each, False) for each in (hurt_redis, close_later)),
    ],
)
def test_what_is_said_to_be_read_may_be_lost_with_its_connection(
    meanwhile: Callable[[Story], None], holds: bool, tmp_path: Path
) -> None:
    story = tell_quiet_story()
    ignore(story)
    end = story.lines[-1]["at"]
    story.at -= 19
    before = story.lines.pop()
    meanwhile(story)
    story.lines.append({**before, "at": end})
    assert judge_story(story, tmp_path)["I6"].holds is holds


# --- What was not shown ---------------------------------------------------------------------------


def drop(story: Story, kind: str, target: str) -> None:
    begun = find(story, kind, "invoke", target=target)
    story.lines = [line for line in story.lines if line["operation"] != begun["operation"]]


def test_a_database_that_nobody_killed_has_not_come_back(tmp_path: Path) -> None:
    story = tell_story()
    drop(story, "kill", "database")
    assert "I14 return of the database" in judge_story(story, tmp_path)["I14"].lacking


def send_quickly(story: Story, seconds: float) -> None:
    """Two hundred in the control phase, of which three take so long."""
    conversation = story.start(HERS, "1.1")
    story.phase("control")
    for number in range(200):
        story.send("1.1", conversation)
        line: Line = story.lines[-1]
        line["at"] = story.lines[-2]["at"] + (seconds if number < 3 else 0.02)


@pytest.mark.parametrize(("seconds", "holds"), [(0.24, True), (0.26, False)])
def test_speed_is_a_part_of_its_own(seconds: float, holds: bool, tmp_path: Path) -> None:
    story = Story()
    send_quickly(story, seconds)
    verdict = judge_story(story, tmp_path)["I14"]
    assert verdict.holds is holds, verdict.examples
    assert dict(verdict.parts)["speed without faults"] == 200
    few = judge_story(tell_story(), tmp_path)["I14"]
    assert few.unchecked == ["speed without faults"]
    assert "too few to judge" in few.note
    unasked = judge_story(story, tmp_path, control_p99=None)["I14"]
    assert unasked.holds
    assert "speed without faults" not in dict(unasked.parts)
    assert running.LEAST_CONTROL_SENDS == 200
