"""What the checker takes for a reason why a socket ends."""

from pathlib import Path
from typing import Any

import pytest

from tests.faults.checker import Verdict, judge
from tests.faults.checker.windows import AFTERMATH
from tests.faults.spoiled.ends import (
    BUSY,
    ENDED,
    GONE,
    LOST,
    RESTART,
    ask_again,
    close_hers,
    open_hers,
    tell_quiet_story,
)
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_lines import ANA, HERS

TOO_SLOW, INTERNAL_ERROR, DISPLACED = 4408, 4411, 4430


def judge_story(story: Story, directory: Path, **how: Any) -> dict[str, Verdict]:
    verdicts = judge(story.write(directory / "history.jsonl"), story.final, **how)
    return {verdict.invariant: verdict for verdict in verdicts}


@pytest.mark.parametrize(
    ("code", "what", "target", "is_ready", "holds"),
    [
        (TOO_SLOW, "slow", "client→web1", True, True),
        (TOO_SLOW, "blackhole", "client→web1", True, True),
        (TOO_SLOW, "pause", "web1", True, True),
        (TOO_SLOW, "slow", "client→web2", True, False),
        (TOO_SLOW, "flood", "web1 (unread)", True, False),
        (TOO_SLOW, "kill", "database", True, False),
        (INTERNAL_ERROR, "pause", "database", True, True),
        (INTERNAL_ERROR, "slow", "web2→database", True, False),
        (BUSY, "kill", "database", True, True),
        (BUSY, "slow", "web1→database", True, True),
        (BUSY, "slow", "web2→database", True, False),
        (BUSY, "pause", "web1", True, True),
        (BUSY, "kill", "web2", True, False),
        (BUSY, "kill", "web2", False, True),
        (BUSY, "kill", "redis", False, False),
        (RESTART, "stop_politely", "web1", True, True),
        (RESTART, "clock", "web1", True, True),
        (RESTART, "failpoint", "web1", True, True),
        (RESTART, "kill", "web1", True, False),
        (RESTART, "stop_politely", "web2", True, False),
        (LOST, "kill", "web1", True, True),
        (LOST, "cut", "client→web1", True, True),
        (LOST, "failpoint", "web2", True, True),  # They are sent over.
        (LOST, "kill", "web2", True, False),
        (LOST, "cut", "web1→redis", True, False),
        (4429, "pause", "web1", True, False),
        (4400, "kill", "web1", True, False),
        (DISPLACED, "kill", "web1", True, False),
    ],
)
def test_a_code_needs_a_fault_that_explains_it(
    code: int, what: str, target: str, is_ready: bool, holds: bool, tmp_path: Path
) -> None:
    story = tell_quiet_story()
    line = open_hers(story, is_ready=is_ready)
    story.fault(what, target, 1)
    close_hers(story, "2.4", line, code)
    verdict = judge_story(story, tmp_path)["I14"]
    assert verdict.holds is holds, verdict.examples
    if not holds:
        assert f"closed with {code}" in verdict.examples[0]


@pytest.mark.parametrize("code", [TOO_SLOW, INTERNAL_ERROR, BUSY, RESTART, LOST])
def test_it_explains_nothing_that_comes_long_after_it(code: int, tmp_path: Path) -> None:
    story = tell_quiet_story()
    line = open_hers(story)
    for what, target in (("stop_politely", "web1"), ("slow", "client→web1"), ("kill", "database")):
        story.fault(what, target, 15)
    story.wait(AFTERMATH + 1)
    close_hers(story, "2.4", line, code)
    assert not judge_story(story, tmp_path)["I14"].holds


def test_who_closes_a_socket_by_themselves_needs_no_reason(tmp_path: Path) -> None:
    for code in (LOST, 1000):
        story = tell_quiet_story()
        close_hers(story, "2.4", open_hers(story), code, own=True)
        assert judge_story(story, tmp_path)["I14"].holds


@pytest.mark.parametrize(("state", "seconds", "holds"), [("unknown", 3, True), ("ok", 3, False)]
    + [("unknown", 100, False)],
)  # fmt: skip
def test_a_log_out_that_nobody_answered_may_end_the_next_session(
    state: str, seconds: float, holds: bool, tmp_path: Path
) -> None:
    """It is done when its person has signed in again, but not a minute later."""
    story = tell_quiet_story()
    told = {"why": "ReadError"} if state == "unknown" else {"session": 2}
    story.fault("cut", "client→web1", 7)
    story.end(story.invoke("1.6", "log_out_all", person=ANA, session=2, web=1), state, **told)
    story.wait(seconds)
    story.do("1", "sign_in", {"session": 3})
    close_hers(story, "1.6", open_hers(story, "1.6", session=3), ENDED)
    assert judge_story(story, tmp_path)["I14"].holds is holds


@pytest.mark.parametrize(("others", "holds"), [(17, False), (18, True)])
def test_only_who_has_twenty_others_loses_a_place(others: int, holds: bool, tmp_path: Path) -> None:
    """Two are open from the story. Half of the others are lost, which the server may not know."""
    story = tell_quiet_story()
    lines = [open_hers(story, f"2.{tab}") for tab in range(10, 10 + others)]
    oldest = open_hers(story, "2.9")
    for tab, line in list(enumerate(lines, start=10))[::2]:
        close_hers(story, f"2.{tab}", line, LOST, own=True)
    close_hers(story, "2.9", oldest, DISPLACED)
    assert judge_story(story, tmp_path)["I14"].holds is holds


def test_who_comes_back_may_be_told_late_that_they_had_left(tmp_path: Path) -> None:
    """Over a connection that was open then, and over none that is newer."""
    for is_newer, holds in ((False, True), (True, False)):
        story = tell_quiet_story()
        line = 0 if is_newer else open_hers(story, "1.6", session=2)
        ask_again(story, "1.6")
        line = line or open_hers(story, "1.6", session=2)
        close_hers(story, "1.6", line, GONE)
        assert judge_story(story, tmp_path)["I14"].holds is holds


@pytest.mark.parametrize(("who", "holds"), [("1.6", True), ("2.4", False)])
def test_a_history_without_sessions_is_judged_by_people(
    who: str, holds: bool, tmp_path: Path
) -> None:
    """Ana has logged out once, Sol never has."""
    story = tell_quiet_story()
    close_hers(story, who, open_hers(story, who), ENDED)
    for line in story.lines:
        if line["state"] == "invoke":
            line["value"].pop("session", None)
    assert judge_story(story, tmp_path)["I14"].holds is holds


def test_load_may_send_few_away_who_are_not_in_yet(tmp_path: Path) -> None:
    for others, holds in ((40, True), (0, False)):
        story = tell_quiet_story()
        for tab in range(others):
            open_hers(story, f"2.{tab + 10}")
        close_hers(story, "2.9", open_hers(story, "2.9", is_ready=False), BUSY)
        verdict = judge_story(story, tmp_path, control_p99=None, is_busy=True)["I14"]
        assert verdict.holds is holds, verdict.examples
        assert not judge_story(story, tmp_path)["I14"].holds


@pytest.mark.parametrize("code", [ENDED, GONE])
def test_no_send_is_excused_by_an_end_without_a_reason(code: int, tmp_path: Path) -> None:
    """Ana's own is: she had logged out, and had left."""
    story = tell_quiet_story()
    hers = story.final.conversations[HERS]
    for who, session in (("2.4", 1), ("1.6", 2)):
        line = open_hers(story, who, session=session)
        if who == "1.6":
            story.do("1.5", "log_out_all", {"session": 2}, session=2, web=1)
            hers.places[ANA].left = True
            story.do("1.5", "leave", conversation=HERS, session=2, web=1)
        asked = {"door": "socket", "session": session, "state": "unknown", "is_stored": False}
        story.send(who, hers, **asked)  # type: ignore[arg-type]
        close_hers(story, who, line, code)
    verdict = judge_story(story, tmp_path)["I14"]
    unanswered = [example for example in verdict.examples if "a send begun" in example]
    assert len(unanswered) == 1
    assert unanswered[0].startswith("2.4")
    assert verdict.violations == 2


@pytest.mark.parametrize("status", [0, 403, 500])
def test_a_handshake_may_fail_while_something_is_hurt(status: int, tmp_path: Path) -> None:
    for target, holds in (("web2", True), ("redis", False)):
        story = tell_quiet_story()
        line = open_hers(story, is_ready=False)
        story.fault("kill", target, 1)
        story.end(line, "fail", status=status)
        assert judge_story(story, tmp_path)["I14"].holds is holds
