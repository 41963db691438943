"""What the checker excuses about mails: what a fault can have held or put off, and no more."""

from pathlib import Path

import pytest

from tests.faults.checker import Verdict, judge
from tests.faults.checker.known import Fault, Known
from tests.faults.checker.mail_times import LOOK_LOST, RECOVERS, WITHIN, MailTimes
from tests.faults.checker.mailed import AWAY_SECONDS
from tests.faults.checker.mailed_in_time import LEAST_MAILS, MailedInTime
from tests.faults.final_state import FinalState
from tests.faults.servers.quiet import PutOff
from tests.faults.spoiled.mailed import (
    add_fault,
    do_at,
    drop_for,
    forget_faults,
    leave_and_come_back,
    leave_the_room,
    mail_of,
    mail_ten_minutes_late,
    read_and_mail,
)
from tests.faults.spoiled.spoiling import find, find_mute, notice
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_lines import ANA, HERS, HIS, TEO
from tests.faults.spoiled.story_told import tell_story


def judge_story(story: Story, directory: Path) -> dict[str, Verdict]:
    verdicts = judge(story.write(directory / "history.jsonl"), story.final)
    return {verdict.invariant: verdict for verdict in verdicts}


# --- How late -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spans", "latest"),
    [
        ([], 100 + WITHIN),
        ([(10, 20)], 100 + WITHIN),  # Over long before.
        ([(90, 120)], 120 + RECOVERS + WITHIN + LOOK_LOST),
        ([(110, 120)], 120 + RECOVERS + WITHIN + LOOK_LOST - 10),  # Of which 10 s were quiet.
        ([(100 + WITHIN + 1, 900)], 100 + WITHIN),  # It had to be there before.
        ([(90, 120), (130, 200)], 200 + RECOVERS + WITHIN + LOOK_LOST),  # Once for both.
        ([(90, 120), (400, 900)], 120 + RECOVERS + WITHIN + LOOK_LOST),  # Chained to nothing.
    ],
)
def test_a_fault_gives_time_once(spans: list[tuple[float, float]], latest: float) -> None:
    known = Known(FinalState(at=0.0))
    known.faults = [Fault(began, ended, "kill", "worker1", 3) for began, ended in spans]
    assert MailTimes(known).latest(100.0) == latest


@pytest.mark.parametrize(
    ("what", "target", "holds"),
    [
        ("pause", "worker1", True),
        ("pause", "beat1", True),
        ("kill", "mail", True),
        ("blackhole", "worker→database", True),
        ("pause", "web1", False),
        ("blackhole", "web1→database", False),
        ("flood", "web1", False),
    ],
)
def test_a_mail_may_wait_for_what_it_needs(
    what: str, target: str, holds: bool, tmp_path: Path
) -> None:
    story = tell_story()
    at = mail_of(story, TEO, HIS).at
    mail_ten_minutes_late(story)
    add_fault(story, what, target, at, at + 590)
    verdict = judge_story(story, tmp_path)["I8"]
    assert verdict.holds is holds, verdict.examples
    assert "mails to people who were never here" in verdict.note


@pytest.mark.parametrize(
    ("attempts", "retries", "reasons", "holds"),
    [
        (1, 0, [], False),
        (2, 0, [], True),  # A claim of 120 s that nobody lived to end.
        (2, 1, ["retrying"], False),  # A failure after which 10 s are waited.
        (4, 3, ["retrying"], True),  # 10, 20 and 40 s.
        (None, 0, ["retrying"], True),  # Old files do not say how often.
    ],
)
def test_each_attempt_costs_what_follows_a_failure(
    attempts: int | None, retries: int, reasons: list[str], holds: bool, tmp_path: Path
) -> None:
    """Four minutes after a fault of a second."""
    story = tell_story()
    forget_faults(story)
    mail, delivery = mail_of(story, TEO, HIS), notice(story, TEO, HIS).deliveries[0]
    add_fault(story, "mail_fault", "mail", mail.at, mail.at + 1)
    mail.at += 1 + RECOVERS + 250
    delivery.attempts, delivery.retries = attempts, retries
    delivery.reasons += reasons
    verdict = judge_story(story, tmp_path)["I8"]
    assert verdict.holds is holds, verdict.examples


@pytest.mark.parametrize(
    ("target", "seconds", "holds"),
    [("web1", -20.0, True), ("worker1", 5.0, True), ("worker1", 400.0, False)],
)
def test_a_wrong_clock_puts_off_what_it_met(
    target: str, seconds: float, holds: bool, tmp_path: Path
) -> None:
    story = tell_story()
    at = mail_of(story, TEO, HIS).at
    mail_ten_minutes_late(story)
    add_fault(story, "clock", target, at + seconds, at + seconds + 20)
    verdict = judge_story(story, tmp_path)["I8"]
    assert verdict.holds is holds, verdict.examples
    assert ("1 were put off by a wrong clock" in verdict.note) is holds


@pytest.mark.parametrize(("seconds", "holds"), [(WITHIN - 1, True), (WITHIN + 1, False)])
def test_who_had_a_socket_is_mailed_when_they_have_been_away(
    seconds: float, holds: bool, tmp_path: Path
) -> None:
    story = tell_story()
    leave_the_room(story)
    mail_of(story, ANA, HERS).at = story.at + AWAY_SECONDS + seconds
    verdict = judge_story(story, tmp_path)["I8"]
    assert verdict.holds is holds, verdict.examples


@pytest.mark.parametrize(
    ("row", "what", "target", "holds"),
    [
        (PutOff("mail", TEO, HIS, 4, 79.0), "mail_fault", "mail", True),
        (PutOff("mail", TEO, HIS, 4, 79.0), "pause", "web1", False),
        (PutOff("look", TEO, HIS, 0, 3000.0), "clock", "worker1", True),
        (PutOff("look", TEO, HIS, 0, 3000.0), "mail_fault", "mail", False),
    ],
)
def test_what_is_brought_forward_had_a_reason(
    row: PutOff, what: str, target: str, holds: bool, tmp_path: Path
) -> None:
    story = tell_story()
    forget_faults(story)
    story.final.put_off = [row]
    add_fault(story, what, target, story.at - 30, story.at - 20)
    verdict = judge_story(story, tmp_path)["I8"]
    assert verdict.holds is holds, verdict.examples


@pytest.mark.parametrize(
    ("seconds", "is_busy", "violations"), [(14.0, False, 0), (16.0, False, 1), (16.0, True, 0)]
)
def test_half_of_what_met_no_fault_leaves_soon(
    seconds: float, is_busy: bool, violations: int
) -> None:
    check = MailedInTime(Known(FinalState(at=0.0)), is_busy=is_busy)
    check.unhurt = [1.0] * (LEAST_MAILS // 2 - 1) + [seconds] * (LEAST_MAILS // 2 + 1)
    check.judge_half()
    assert check.tally.violations == violations


# --- What is decided on before --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "target", "began", "ended", "holds"),
    [
        ("pause", "worker1", -1.0, 20.0, True),
        ("blackhole", "worker→mail", 3.0, 20.0, True),
        ("pause", "worker1", -20.0, -8.0, False),  # Over when it was read.
        ("pause", "web1", -1.0, 20.0, False),
        ("pause", "beat1", -1.0, 20.0, False),
    ],
)
def test_a_mail_may_be_held_that_was_decided_on(
    what: str, target: str, began: float, ended: float, holds: bool, tmp_path: Path
) -> None:
    """For twenty seconds: before it was read, or before the conversation was muted."""
    story = tell_story()
    forget_faults(story)
    at = read_and_mail(story, 20.0)
    add_fault(story, what, target, at + began, at + ended)
    verdict = judge_story(story, tmp_path)["I9"]
    assert verdict.holds is holds, verdict.examples
    story = tell_story()
    at = find_mute(story)["at"]
    mail_of(story, ANA, HERS).at = at + 20
    forget_faults(story)
    add_fault(story, what, target, at + began, at + ended)
    verdict = judge_story(story, tmp_path)["I7"]
    assert verdict.holds is holds, verdict.examples


def test_only_what_was_read_in_time_is_counted(tmp_path: Path) -> None:
    """Without the one burst that was dropped as read nothing of it is shown."""
    story = tell_story()
    assert judge_story(story, tmp_path)["I9"].checked == 1
    story.lines = [line for line in story.lines if line["kind"] != "read"]
    verdict = judge_story(story, tmp_path)["I9"]
    assert verdict.word == "not checked"
    assert len(story.final.mails) > 1


# --- Dropped, and left ----------------------------------------------------------------------------


@pytest.mark.parametrize("why", ["muted", "left"])
def test_what_is_dropped_was_unwanted_then(why: str, tmp_path: Path) -> None:
    story = tell_story()
    drop_for(story, why)
    at = find(story, "block", "ok")["at"]
    if why == "left":
        leave_and_come_back(story, at)
    else:
        do_at(story, at, "3.1", "mute", conversation=HIS, on=True)
        do_at(story, at + 0.1, "3.1", "mute", conversation=HIS, on=False)
    verdict = judge_story(story, tmp_path)["I8"]
    assert verdict.holds, verdict.examples


def test_who_leaves_before_the_look_may_have_no_notice(tmp_path: Path) -> None:
    story = tell_story()
    sent = [line for line in story.lines if line["kind"] == "send" and line["who"] == "2.1"]
    at = next(line["at"] for line in sent if line["value"].get("conversation") == HIS)
    story.final.mails.remove(mail_of(story, TEO, HIS))
    story.final.notifications.remove(notice(story, TEO, HIS))
    leave_and_come_back(story, at + 5)
    verdict = judge_story(story, tmp_path)["I7"]
    assert verdict.holds, verdict.examples


@pytest.mark.parametrize(("seconds", "holds"), [(-1.0, True), (-60.0, False)])
def test_a_look_that_a_wrong_clock_put_off_may_come_after_a_leave(
    seconds: float, holds: bool, tmp_path: Path
) -> None:
    story = tell_story()
    sent = [line for line in story.lines if line["kind"] == "send" and line["who"] == "2.1"]
    at = next(line["at"] for line in sent if line["value"].get("conversation") == HIS)
    story.final.mails.remove(mail_of(story, TEO, HIS))
    story.final.notifications.remove(notice(story, TEO, HIS))
    add_fault(story, "clock", "web1", at + seconds, at + seconds + 20)
    leave_and_come_back(story, at + 1000)
    story.final.at = at + 2000
    verdict = judge_story(story, tmp_path)["I7"]
    assert verdict.holds is holds, verdict.examples


def test_who_leaves_and_comes_back_finds_it_where_they_look_first(tmp_path: Path) -> None:
    story = tell_story()
    leave_and_come_back(story, find(story, "archive", "ok")["at"] + 1)
    story.final.conversations[HIS].places[TEO].archived = False
    assert judge_story(story, tmp_path)["I1"].holds
