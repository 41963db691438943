"""What was lost, came twice or went to somebody else is counted from its own facts, whichever
verdicts are broken."""

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.faults.checker import Verdict, judge
from tests.faults.checker.verdicts import MOST_EXAMPLES, Tally, join_tallies
from tests.faults.reports.numbers import Numbers
from tests.faults.reports.report import write_report
from tests.faults.spoiled import company, handed, rights, shown, stored
from tests.faults.spoiled.spoiling import find
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_lines import HERS
from tests.faults.spoiled.story_told import tell_story

TOTALS = ("lost", "duplicated", "misdelivered")


def report(story: Story, folder: Path) -> tuple[str, list[Verdict]]:
    numbers, history = Numbers(), story.write(folder / "history.jsonl")
    verdicts = judge(history, story.final, also=[numbers])
    outcome = SimpleNamespace(history=history, final=story.final)
    write_report(folder, outcome, verdicts, numbers=numbers)
    return (folder / "report.txt").read_text(), verdicts


def read_total(text: str, name: str) -> int:
    found = re.search(rf"^  {re.escape(name)} +([\d,]+)$", text, re.MULTILINE)
    assert found, name
    return int(found[1].replace(",", ""))


def lose_the_last_message(story: Story) -> None:
    """The tabs that hold it hold nothing that is stored."""
    stored.lose_an_acknowledged_message(story)


def lose_it_for_a_tab_alone(story: Story) -> None:
    find(story, "final", "seen")["value"]["messages"].pop()


def lose_it_for_two_tabs(story: Story) -> None:
    for line in story.lines:
        if line["kind"] == "final" and line["value"]["conversation"] == HERS:
            line["value"]["messages"].pop()


def hold_it_twice(story: Story) -> None:
    messages = find(story, "final", "seen")["value"]["messages"]
    messages.append(list(messages[-1]))


@pytest.mark.parametrize(
    ("spoil", "counts"),
    [
        (lambda story: None, (0, 0, 0)),
        (lose_the_last_message, (1, 0, 0)),
        (lose_it_for_a_tab_alone, (1, 0, 0)),
        (lose_it_for_two_tabs, (1, 0, 0)),
        (stored.lose_a_star, (0, 0, 0)),
        (stored.lose_an_edit, (0, 0, 0)),
        (stored.store_twice, (0, 1, 0)),
        (shown.deliver_twice, (0, 1, 0)),
        (hold_it_twice, (0, 1, 0)),
        (stored.refuse_without_a_block, (0, 0, 0)),
        (stored.store_what_nobody_sent, (0, 0, 0)),
        (handed.show_what_another_asked_about_the_same, (0, 0, 1)),
        (rights.tell_something_long_after_log_out, (0, 0, 1)),
        (rights.hear_after_leaving, (0, 0, 1)),
        (rights.write_after_leaving, (0, 0, 0)),
        (handed.serve_a_page_after_log_out, (0, 0, 1)),
        (handed.answer_with_what_others_wrote, (0, 0, 1)),
        (company.tell_of_a_stranger, (0, 0, 1)),
    ],
)
def test_each_total_has_facts_of_its_own(
    spoil: Callable[[Story], None], counts: tuple[int, int, int], tmp_path: Path
) -> None:
    story = tell_story()
    spoil(story)
    text, _ = report(story, tmp_path)
    assert tuple(read_total(text, name) for name in TOTALS) == counts


def test_a_message_is_acknowledged_once_however_often_it_is_sent(tmp_path: Path) -> None:
    story = tell_story()
    before, _ = report(story, tmp_path)
    asked = find(story, "send", "invoke")["value"]
    told = {**find(story, "send", "ok")["value"], "duplicate": True}
    for _ in range(3):
        story.do("1.1", "send", told, **asked)
    text, _ = report(story, tmp_path)
    for name, more in (
        ("messages acknowledged", 0),
        ("sends acknowledged, repeats included", 3),
        ("of them repeats of what was stored", 3),
        ("operations acknowledged, of every kind", 3),
    ):
        assert read_total(text, name) == read_total(before, name) + more, name


def test_a_report_says_which_part_is_broken(tmp_path: Path) -> None:
    story = tell_story()
    handed.serve_a_page_with_what_others_wrote(story)
    text, _ = report(story, tmp_path)
    assert "pages 2 (1 broken)" in text
    assert "pages 2 (1 broken)" in (tmp_path / "report.html").read_text()


def test_examples_are_taken_from_all_parts_in_turn() -> None:
    many, few, none = Tally("I4", "many"), Tally("I4", "few"), Tally("I4", "none")
    for number in range(100):
        many.expect(holds=False, example=f"many {number}")
    few.expect(holds=False, example="few 0")
    few.break_("few 1", misdelivers=True)
    verdict = join_tallies([many, none, few])
    assert len(verdict.examples) == MOST_EXAMPLES
    assert verdict.examples[:4] == ["many 0", "few 0", "many 1", "few 1"]
    assert verdict.broken_parts == (("many", 100), ("few", 2))
    assert verdict.misdelivered == 1
