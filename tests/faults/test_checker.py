"""A run that went well holds, and every way to spoil it is seen."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.checker import PROMISES, Verdict, describe, judge
from tests.faults.spoiling import load
from tests.faults.spoiling_shown import tell_late
from tests.faults.story import Story
from tests.faults.story_told import tell_story

SPOILS = load()


def judge_story(story: Story, directory: Path) -> dict[str, Verdict]:
    verdicts = judge(story.write(directory / "history.jsonl"), story.final)
    return {verdict.invariant: verdict for verdict in verdicts}


def test_a_run_that_went_well_holds(tmp_path: Path) -> None:
    verdicts = judge_story(tell_story(), tmp_path)
    assert list(verdicts) == [f"I{number}" for number in range(1, 15)]
    for verdict in verdicts.values():
        assert verdict.holds, (verdict.invariant, verdict.examples)
        assert verdict.checked > 0, verdict.invariant


@pytest.mark.parametrize(
    ("invariant", "spoil"), SPOILS, ids=[f"{name} {spoil.__name__}" for name, spoil in SPOILS]
)
def test_what_is_spoiled_is_seen(
    invariant: str, spoil: Callable[[Story], None], tmp_path: Path
) -> None:
    story = tell_story()
    spoil(story)
    verdict = judge_story(story, tmp_path)[invariant]
    assert not verdict.holds
    assert verdict.examples


def test_every_invariant_can_be_broken() -> None:
    assert {invariant for invariant, _ in SPOILS} == PROMISES.keys()
    assert len(SPOILS) >= 100


def test_what_was_not_looked_at_has_not_passed(tmp_path: Path) -> None:
    story = Story()
    for verdict in judge_story(story, tmp_path).values():
        assert verdict.checked == 0, verdict.invariant
        assert not verdict.passed
        assert verdict.word == "not checked"


def test_what_an_old_history_does_not_say_is_not_guessed(tmp_path: Path) -> None:
    story = tell_story()
    for line in story.lines:
        for name in ("fields", "own", "effect", "in_time", "peak"):
            line["value"].pop(name, None)
    story.final.refusals = None
    verdicts = judge_story(story, tmp_path)
    for verdict in verdicts.values():
        assert verdict.holds, (verdict.invariant, verdict.examples)
    assert {"fields of frames", "presence shown"} <= set(verdicts["I4"].unchecked)
    assert "read marks shown" in verdicts["I6"].unchecked
    for invariant in ("I4", "I6", "I13", "I14"):
        assert "not checked" in verdicts[invariant].note, invariant


def test_every_part_of_a_good_run_is_checked(tmp_path: Path) -> None:
    for verdict in judge_story(tell_story(), tmp_path).values():
        assert not verdict.unchecked, verdict.invariant


def test_a_fault_puts_off_what_is_told_and_no_longer(tmp_path: Path) -> None:
    """What came twelve seconds late is in time while Redis was away for so long, and no excuse is
    taken from a mail server."""
    for target, holds in (("redis", True), ("mail", False)):
        story = tell_story()
        tell_late(story)
        began = {"at": 0.0, "who": "nemesis", "kind": "pause", "operation": 9000}
        asked = {"nemesis": 6, "target": target}
        story.lines.insert(0, {**began, "state": "invoke", "value": asked})
        story.lines.append({**began, "at": 40.0, "state": "ok", "value": {"effect": 1}})
        assert judge_story(story, tmp_path)["I4"].holds is holds


def test_a_last_line_that_was_cut_off_leaves_its_operation_open(tmp_path: Path) -> None:
    """Whoever was asking when the campaign died may have been answered."""
    story = tell_story()
    operation = story.invoke("1.1", "read", person=1, conversation="x", sequence=1)
    path = story.write(tmp_path / "history.jsonl")
    with path.open("a") as history:
        history.write(f'{{"at": 99.0, "who": "1.1", "operation": {operation}')
    assert all(verdict.holds for verdict in judge(path, story.final))


def test_every_invariant_says_what_it_is_and_whose_promise() -> None:
    for invariant, promises in PROMISES.items():
        text = describe(invariant)
        named = re.search(r"\(promises? ([^)]*)\)", text)
        numbers = re.findall(r"\d", named[1].partition(",")[0]) if named else []
        assert {int(number) for number in numbers} == set(promises), invariant
