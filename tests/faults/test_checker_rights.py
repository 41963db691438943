"""What the checker says of sessions that are over, and of what answers, pages and mails hold: each
part for itself."""

from pathlib import Path

import pytest

from tests.faults.checker import Verdict, judge
from tests.faults.spoiled import handed
from tests.faults.spoiled.spoiling import Spoil, find
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_lines import ANA, DAN, HERS, LISTING
from tests.faults.spoiled.story_told import tell_story

PARTS = {
    "after a log-out": (ANA, 1),
    "after a new password": (DAN, 1),
    "after a deactivation": (DAN, 2),
}


def judge_story(story: Story, directory: Path) -> dict[str, Verdict]:
    verdicts = judge(story.write(directory / "history.jsonl"), story.final)
    return {verdict.invariant: verdict for verdict in verdicts}


@pytest.mark.parametrize(
    ("spoil", "part"),
    [
        (handed.read_after_log_out, "after a log-out"),
        (handed.serve_a_page_after_a_new_password, "after a new password"),
        (handed.shake_hands_after_deactivation, "after a deactivation"),
    ],
)
def test_each_kind_of_ending_is_a_part_of_its_own(spoil: Spoil, part: str, tmp_path: Path) -> None:
    story = tell_story()
    spoil(story)
    verdict = judge_story(story, tmp_path)["I10"]
    assert [name for name, _ in verdict.broken_parts if name in PARTS] == [part]
    assert (verdict.misdelivered > 0) is (spoil is not handed.read_after_log_out)


def forget_what_was_tried(story: Story, person: int, session: int) -> None:
    """Also what a tab of it tried by itself."""
    tried = {
        line["operation"]
        for line in story.lines
        if line["state"] == "invoke"
        and line["kind"] in ("send", "list", "read", "page", "connect")
        and (line["value"]["person"], line["value"].get("session")) == (person, session)
    }
    failed = {
        line["operation"]
        for line in story.lines
        if line["operation"] in tried and line["state"] == "fail"
    }
    story.lines = [line for line in story.lines if line["operation"] not in failed]


@pytest.mark.parametrize("part", PARTS)
def test_an_ending_after_which_nothing_was_tried_is_not_checked(part: str, tmp_path: Path) -> None:
    story = tell_story()
    forget_what_was_tried(story, *PARTS[part])
    verdict = judge_story(story, tmp_path)["I10"]
    assert verdict.holds, verdict.examples
    assert verdict.unchecked == [part]


@pytest.mark.parametrize(
    ("state", "value"),
    [
        ("unknown", {"why": "ReadTimeout"}),
        ("fail", {"code": "unreachable"}),
        ("fail", {"status": 0}),
    ],
)
def test_what_nobody_answered_shows_nothing(
    state: str, value: dict[str, object], tmp_path: Path
) -> None:
    story = tell_story()
    for kind in ("read", "list", "page", "connect"):
        ended = handed.find_tried(story, kind, DAN, 2)
        if ended["state"] == "fail":
            ended["state"], ended["value"] = state, dict(value)
    verdict = judge_story(story, tmp_path)["I10"]
    assert "after a deactivation" in verdict.unchecked


def test_what_repeats_what_was_stored_may_be_answered(tmp_path: Path) -> None:
    """However late: nothing is stored by it."""
    story = tell_story()
    asked = dict(find(story, "send", "invoke", person=ANA)["value"])
    told = {**find(story, "send", "ok")["value"], "duplicate": True}
    story.do("1.1", "send", told, **{**asked, "session": 1})
    again = story.lines[-2:]
    del story.lines[-2:]
    place = story.lines.index(find(story, "sign_in", "ok"))
    for line in again:
        line["at"] = story.lines[place]["at"]
    story.lines[place:place] = again
    verdict = judge_story(story, tmp_path)["I10"]
    assert verdict.holds, verdict.examples


# --- Answers, pages and mails ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "part"),
    [
        (handed.answer_with_what_others_wrote, "answers over HTTP"),
        (handed.answer_with_what_another_asked_about_the_same, "answers over HTTP"),
        (handed.serve_a_page_with_what_others_wrote, "pages"),
        (handed.serve_the_page_of_others, "pages"),
        (handed.show_what_another_asked_about_the_same, "what was said"),
        (handed.mail_in_html_what_others_wrote, "mails as HTML"),
        (handed.name_in_a_subject_what_others_wrote, "mails"),
    ],
)
def test_each_place_of_a_text_is_a_part_of_its_own(spoil: Spoil, part: str, tmp_path: Path) -> None:
    story = tell_story()
    spoil(story)
    assert dict(judge_story(story, tmp_path)["I11"].broken_parts) == {part: 1}


def test_what_one_wrote_oneself_may_be_told_back(tmp_path: Path) -> None:
    """In the answer that refuses to begin a conversation, which then never was."""
    story = tell_story()
    handed.hand(story, DAN, DAN, "another-listing", page=False)
    verdict = judge_story(story, tmp_path)["I11"]
    assert verdict.holds, verdict.examples


def test_what_was_told_of_a_conversation_before_its_asker_knew_of_it_holds(tmp_path: Path) -> None:
    story = tell_story()
    handed.hand(story, ANA, ANA, LISTING, page=True)
    handed.hand(story, ANA, ANA, HERS, page=True)
    verdict = judge_story(story, tmp_path)["I11"]
    assert verdict.holds, verdict.examples


def test_an_old_run_did_not_look_at_answers_and_pages(tmp_path: Path) -> None:
    story = tell_story()
    new = ("looked", "handed", "page")
    story.lines = [line for line in story.lines if line["kind"] not in new]
    for mail in story.final.mails:
        mail.html = mail.headers = ""
    verdict = judge_story(story, tmp_path)["I11"]
    assert verdict.holds, verdict.examples
    assert verdict.unchecked == ["answers over HTTP", "pages", "mails as HTML"]


# --- How a verdict is told ------------------------------------------------------------------------


def test_no_part_hides_the_examples_of_another(tmp_path: Path) -> None:
    story = tell_story()
    for _ in range(20):
        handed.hand(story, DAN, ANA, HERS, page=False)
    handed.name_in_a_subject_what_others_wrote(story)
    verdict = judge_story(story, tmp_path)["I11"]
    assert dict(verdict.broken_parts) == {"answers over HTTP": 20, "mails": 1}
    assert any("was mailed" in example for example in verdict.examples)
    assert "answers over HTTP 9 (20 broken)" in verdict.described_parts
