"""A run that went well holds, and every way to spoil it is seen."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.checker import PROMISES, Verdict, answered, describe, judge, running
from tests.faults.spoiled.answers import call_a_first_attempt_a_repeat, find_first_answer, store
from tests.faults.spoiled.company import (
    come_over_a_block,
    lengthen_the_block,
    tell_a_minute_after_log_out_when_only_mail_was_hurt_since,
)
from tests.faults.spoiled.shown import tell_late
from tests.faults.spoiled.spoiling import accept, attempt, find, find_asked, insert_after, load
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_lines import HERS, SOL
from tests.faults.spoiled.story_told import tell_story

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
        for name in ("fields", "own", "effect", "in_time", "peak", "seconds"):
            line["value"].pop(name, None)
    story.final.refusals = None
    verdicts = judge_story(story, tmp_path)
    for verdict in verdicts.values():
        assert verdict.holds, (verdict.invariant, verdict.examples)
    assert {"fields of frames", "presence shown"} <= set(verdicts["I4"].unchecked)
    assert verdicts["I11"].unchecked == ["who is there"]
    assert "read marks shown" in verdicts["I6"].unchecked
    for invariant in ("I4", "I6", "I13", "I14"):
        assert "not checked" in verdicts[invariant].note, invariant


def test_every_part_of_a_good_run_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "LEAST_CONTROL_SENDS", 5)  # A story has few.
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


# --- What is no violation -------------------------------------------------------------------------


def add_fault(story: Story, kind: str, target: str, began: float, ended: float) -> None:
    """Its lines stand first: a history is judged by its moments."""
    about = {"who": "nemesis", "kind": kind, "operation": 9500}
    asked, told = {"nemesis": 5, "target": target}, {"effect": 1}
    begun = {**about, "at": began, "state": "invoke", "value": asked}
    story.lines[:0] = [begun, {**about, "at": ended, "state": "ok", "value": told}]


def forget_polite_stops(story: Story) -> None:
    """So that nothing but what a test adds is hurt when sessions end."""
    story.lines = [line for line in story.lines if line["kind"] != "stop_politely"]


def tell_seconds_after_log_out(story: Story, seconds: float) -> None:
    forget_polite_stops(story)
    tell_a_minute_after_log_out_when_only_mail_was_hurt_since(story)
    out = find(story, "log_out_all", "ok")
    late = next(line for line in story.lines if line["at"] == out["at"] + 60)
    late["at"] = out["at"] + seconds


@pytest.mark.parametrize(
    ("seconds", "target", "holds"),
    [
        (4, "mail", True),
        (6, "mail", False),
        (6, "worker1", False),
        (6, "client→web2", False),
        (6, "client→web1", True),
        (6, "redis", True),
        (50, "redis", False),
    ],
)
def test_only_a_fault_on_its_own_way_puts_off_the_end_of_a_socket(
    seconds: float, target: str, holds: bool, tmp_path: Path
) -> None:
    """Of a socket at the first web process, five seconds after its session was over."""
    story = tell_story()
    tell_seconds_after_log_out(story, seconds)
    out = find(story, "log_out_all", "ok")["at"]
    add_fault(story, "pause", target, out + 1, out + 3)
    verdict = judge_story(story, tmp_path)["I10"]
    assert verdict.holds is holds, verdict.examples
    is_excused = target in ("client→web1", "redis")
    said = (
        "0 sockets judged at 5 s and 1 at 35 s" if is_excused else "1 sockets judged at 5 s and 0"
    )
    assert verdict.note.startswith(said)


def test_a_machine_that_answers_nobody_closes_sockets_as_late(tmp_path: Path) -> None:
    """A send that takes seven seconds is under way meanwhile."""
    for seconds, holds in ((11, True), (13, False)):
        story = tell_story()
        tell_seconds_after_log_out(story, seconds)
        out = find(story, "log_out_all", "ok")["at"]
        asked = {"person": SOL, "conversation": HERS, "key": "slow", "body": "slow", "session": 1}
        told = {"id": 1, "sequence": 1, "revision": 0, "duplicate": False}
        send = {"who": "2.9", "kind": "send", "operation": 9600}
        begun = {**send, "at": out - 3, "state": "invoke", "value": asked}
        story.lines[:0] = [begun, {**send, "at": out + 4, "state": "ok", "value": told}]
        assert judge_story(story, tmp_path)["I10"].holds is holds, seconds


def test_a_request_that_is_late_may_be_stored_when_the_block_is_over(tmp_path: Path) -> None:
    """Nobody was told of it before that."""
    story = tell_story()
    store(story, "forbidden")
    assert judge_story(story, tmp_path)["I10"].holds


def test_an_attempt_that_was_allowed_may_be_what_is_stored(tmp_path: Path) -> None:
    """It was not answered. What was tried after the end of the session may have done nothing."""
    story = tell_story()
    refused, told = store(story, "unauthenticated")
    asked = find_asked(story, refused)
    earlier = attempt(refused, asked, "unknown", {"why": "closed"})
    insert_after(story, find(story, "block", "ok"), *earlier)
    later = attempt(earlier[0], {**asked, "session": 2}, "ok", {**told, "duplicate": True})
    insert_after(story, find(story, "sign_in", "ok"), *later)
    verdicts = judge_story(story, tmp_path)
    assert verdicts["I10"].holds, verdicts["I10"].examples
    assert verdicts["I2"].holds, verdicts["I2"].examples


@pytest.mark.parametrize(("target", "holds"), [("web1→database", True), ("web1→redis", False)])
def test_a_process_that_lost_the_answer_to_a_commit_says_that_it_was_there(
    target: str, holds: bool, tmp_path: Path
) -> None:
    story = tell_story()
    call_a_first_attempt_a_repeat(story)
    at = find_first_answer(story)["at"]
    answer = next(line for line in story.lines if line["value"].get("duplicate"))
    add_fault(story, "cut", target, answer["at"] - 0.05, min(at, answer["at"]))
    assert judge_story(story, tmp_path)["I2"].holds is holds


def test_what_is_on_its_way_when_somebody_is_blocked_may_come(tmp_path: Path) -> None:
    story = tell_story()
    come_over_a_block(story)
    blocked, unblocked = find(story, "block", "ok"), find(story, "unblock", "invoke")
    assert blocked["at"] + 10 < unblocked["at"]
    presence = next(line for line in story.lines if line["value"].get("type") == "presence")
    presence["at"] = blocked["at"] + 4
    assert judge_story(story, tmp_path)["I11"].holds


def test_who_may_not_write_may_take_something_back(tmp_path: Path) -> None:
    """In a block, but not in a session that is over."""
    for code, holds in (("forbidden", True), ("unauthenticated", False)):
        story = tell_story()
        lengthen_the_block(story)
        refused = find(story, "send", "fail", code=code)
        accept(story, refused)
        asked = dict(find_asked(story, refused))
        conversation = story.final.conversations[asked["conversation"]]
        message = conversation.messages.pop()
        conversation.last_sequence -= 1
        refused["state"], refused["value"] = "fail", {"code": code}
        earlier = next(m for m in conversation.messages if m.sender == message.sender)
        earlier.body, earlier.deleted, earlier.revision = "", True, message.revision
        asked |= {"sequence": earlier.sequence}
        deletion = attempt({**refused, "kind": "delete"}, asked, "unknown", {"why": "closed"})
        insert_after(story, refused, *deletion)
        assert judge_story(story, tmp_path)["I10"].holds is holds, code


@pytest.mark.parametrize(("seconds", "holds"), [(1.0, True), (900.0, False)])
def test_a_deletion_may_be_too_late_whatever_became_of_an_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, holds: bool
) -> None:
    monkeypatch.setattr(answered, "DELETE_SECONDS", seconds)
    story = tell_story()
    deleted = find(story, "delete", "ok")
    asked = {**find_asked(story, deleted), "sequence": 1}
    first = attempt(deleted, asked, "unknown", {"why": "closed"})
    then = attempt(first[0], asked, "fail", {"code": "forbidden"})
    insert_after(story, deleted, *first, *then)
    assert judge_story(story, tmp_path)["I2"].holds is holds


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
