"""What a room or an inbox is to be told, and by when."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.checker import Verdict, judge
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_lines import ANA, HERS, SOL, Line

IN_TIME = "told in time"


def judge_story(story: Story, directory: Path) -> Verdict:
    """Of I4."""
    verdicts = judge(story.write(directory / "history.jsonl"), story.final)
    return next(verdict for verdict in verdicts if verdict.invariant == "I4")


# --- Rooms ----------------------------------------------------------------------------------------


def count_due(verdict: Verdict) -> int:
    return dict(verdict.parts)[IN_TIME]


def describe_send(story: Story, person: int) -> Line:
    about: Line = {"person": person, "tab": 1, "conversation": HERS, "door": "http"}
    return {**about, "key": "a key", "body": story.body(person, HERS), "session": 1, "web": 1}


def tell_of_nothing(story: Story, who: str, line: int) -> None:
    """A frame that says nothing: until then the run went on."""
    story.tell(who, line, "typing", {"conversation": HERS, "user": ANA, "expires_in": 6})


@pytest.mark.parametrize("tries", [1, 2])
@pytest.mark.parametrize(("seconds", "holds"), [(4.0, True), (6.0, False)])
def test_a_repeat_is_told_as_soon_as_it_is_answered(
    seconds: float, tries: int, holds: bool, tmp_path: Path
) -> None:
    """Whoever stored it died before anybody was told: only the second attempt was answered."""
    story = Story()
    hers = story.start(HERS, "1.1")
    line = story.connect("2.1", hers, hers.revision)
    message = story.send("1.1", hers, tries=tries)
    assert message is not None
    story.wait(seconds)
    story.hear("2.1", line, message)
    verdict = judge_story(story, tmp_path)
    assert verdict.holds is holds, verdict.examples
    assert count_due(verdict) == 1


@pytest.mark.parametrize(("seconds", "holds", "count"), [(4.0, True, 0), (6.0, False, 1)])
def test_what_was_not_due_when_a_line_ended_is_not_counted(
    seconds: float, holds: bool, count: int, tmp_path: Path
) -> None:
    story = Story()
    hers = story.start(HERS, "1.1")
    line = story.connect("2.1", hers, hers.revision)
    story.send("1.1", hers)
    story.wait(seconds)
    story.close("2.1", line, hers)
    verdict = judge_story(story, tmp_path)
    assert verdict.holds is holds, verdict.examples
    assert count_due(verdict) == count


@pytest.mark.parametrize("holds", [True, False])
def test_another_line_of_who_said_it_is_told(holds: bool, tmp_path: Path) -> None:
    """Over the first one it may have been stored; the second one has to hear of it."""
    story = Story()
    hers = story.start(HERS, "1.1")
    first = story.connect("2.1", hers, hers.revision)
    asked = describe_send(story, SOL)
    story.end(story.invoke("2.1", "send", **{**asked, "door": "socket"}), "unknown", why="closed")
    story.close("2.1", first, hers)
    second = story.connect("2.1", hers, hers.revision)
    message = story.store(hers, SOL, asked["key"], asked["body"])
    again = story.invoke("2.1", "send", **asked)
    numbers = {"sequence": message.sequence, "revision": message.revision}
    story.end(again, "ok", id=message.id, **numbers, duplicate=True)
    if holds:
        story.hear("2.1", second, message)
    story.wait(6)
    tell_of_nothing(story, "2.1", second)
    verdict = judge_story(story, tmp_path)
    assert verdict.holds is holds, verdict.examples


# --- Reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "holds"), [(4.0, True), (6.0, False)])
def test_a_room_is_told_in_time_how_far_others_have_read(
    seconds: float, holds: bool, tmp_path: Path
) -> None:
    story = Story()
    hers = story.start(HERS, "1.1")
    line = story.connect("1.1", hers, hers.revision)
    story.read("2.1", hers, 1)
    story.wait(seconds)
    story.hear_read("1.1", line, hers, SOL)
    verdict = judge_story(story, tmp_path)
    assert verdict.holds is holds, verdict.examples
    assert count_due(verdict) == 1


@pytest.mark.parametrize(
    ("who", "has_left", "holds"), [("2.2", False, True), ("1.1", True, True), ("1.1", False, False)]
)
def test_nobody_is_told_of_their_own_reading_or_of_who_has_left(
    who: str, has_left: bool, holds: bool, tmp_path: Path
) -> None:
    story = Story()
    hers = story.start(HERS, "1.1")
    line = story.connect(who, hers, hers.revision)
    story.read("2.1", hers, 1)
    if has_left:
        story.leave("2.1", hers)
    story.wait(6)
    tell_of_nothing(story, who, line)
    verdict = judge_story(story, tmp_path)
    assert verdict.holds is holds, verdict.examples


# --- Inboxes --------------------------------------------------------------------------------------


def beat_inbox(story: Story, line: int, cursor: str) -> None:
    story.tell("2.0", line, "heartbeat", {"cursor": cursor})


def hear_in_time(story: Story, line: int) -> None:
    message = story.final.conversations[HERS].messages[-1]
    story.hear("2.0", line, message)


def hear_of_the_next(story: Story, line: int) -> None:
    hers = story.final.conversations[HERS]
    message = story.send("1.1", hers)
    assert message is not None
    story.hear("2.0", line, message)


def be_told_to_look(story: Story, line: int) -> None:
    story.wait(3)
    beat_inbox(story, line, "1-2")


def hear_nothing_new(story: Story, line: int) -> None:
    story.wait(3)
    beat_inbox(story, line, "1-1")


def hear_of_another(story: Story, line: int) -> None:
    first = story.final.conversations[HERS].messages[0]
    story.hear("2.0", line, first)


def hear_too_late(story: Story, line: int) -> None:
    story.wait(6)
    hear_in_time(story, line)


def be_told_to_look_too_late(story: Story, line: int) -> None:
    hear_nothing_new(story, line)
    be_told_to_look(story, line)


@pytest.mark.parametrize(
    ("hear", "holds"),
    [
        *((hear, True) for hear in (hear_in_time, hear_of_the_next, be_told_to_look)),
        *((hear, False) for hear in (hear_nothing_new, hear_of_another, hear_too_late)),
        (be_told_to_look_too_late, False),
    ],
)
def test_an_inbox_is_told_in_time(
    hear: Callable[[Story, int], None], holds: bool, tmp_path: Path
) -> None:
    story = Story()
    hers = story.start(HERS, "1.1")
    line = story.open_list("2.0")
    story.send("1.1", hers)
    hear(story, line)
    story.wait(6)
    beat_inbox(story, line, "1-1" if hear is hear_nothing_new else "1-9")
    verdict = judge_story(story, tmp_path)
    assert verdict.holds is holds, verdict.examples
    assert count_due(verdict) >= 1


@pytest.mark.parametrize(("who", "holds"), [("1.0", True), ("1.1", False)])
def test_an_inbox_is_not_told_of_what_was_said_over_it(
    who: str, holds: bool, tmp_path: Path
) -> None:
    story = Story()
    hers = story.start(HERS, "1.1")
    line = story.open_list("1.0")
    story.send(who, hers, door="socket")
    story.wait(6)
    story.tell("1.0", line, "heartbeat", {"cursor": "1-1"})
    verdict = judge_story(story, tmp_path)
    assert verdict.holds is holds, verdict.examples


@pytest.mark.parametrize("has_left", [True, False])
def test_an_inbox_is_told_of_what_is_still_its_persons(has_left: bool, tmp_path: Path) -> None:
    story = Story()
    hers = story.start(HERS, "1.1")
    line = story.open_list("2.0")
    if has_left:
        story.leave("2.1", hers)
    story.send("1.1", hers)
    story.wait(6)
    beat_inbox(story, line, "1-1")
    verdict = judge_story(story, tmp_path)
    assert verdict.holds is has_left, verdict.examples


def test_what_an_inbox_may_have_known_at_its_beginning_is_not_counted(tmp_path: Path) -> None:
    story = Story()
    hers = story.start(HERS, "1.1")
    asked = describe_send(story, ANA)
    operation = story.invoke("1.1", "send", **asked)
    message = story.store(hers, ANA, asked["key"], asked["body"])
    line = story.open_list("2.0")
    numbers = {"sequence": message.sequence, "revision": message.revision}
    story.end(operation, "ok", id=message.id, **numbers, duplicate=False)
    story.wait(6)
    beat_inbox(story, line, "1-1")
    assert count_due(judge_story(story, tmp_path)) == 0
