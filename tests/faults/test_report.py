"""The report stands alone: it says what was found, and nothing of the machine that found it."""

import getpass
import re
import socket
from array import array
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.faults.checker import PROMISES, Verdict, judge, shown
from tests.faults.final_file import load_final, save_final
from tests.faults.judging import judge_again
from tests.faults.report import write_report
from tests.faults.report_numbers import Numbers
from tests.faults.story_lines import HERS
from tests.faults.story_told import tell_story
from tests.services.places import PROJECT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With the report of a run in which one invariant is broken and one was not looked at."""
    story, numbers = tell_story(), Numbers()
    history = story.write(tmp_path / "history.jsonl")
    verdicts = judge(history, story.final, also=[numbers])
    verdicts[0] = Verdict("I1", holds=False, checked=9, examples=["<b>one</b>"], violations=2)
    verdicts[11] = Verdict("I12", holds=True, checked=0)
    outcome = SimpleNamespace(
        history=history, final=story.final, kills={"web": 3}, crashes=["web1 ended with status 1"]
    )
    write_report(tmp_path, outcome, verdicts, seed=7, numbers=numbers)
    return tmp_path


def test_both_forms_say_what_was_found(folder: Path) -> None:
    text, page = (folder / "report.txt").read_text(), (folder / "report.html").read_text()
    for said in (text, page):
        assert "Broken: I1." in said
        assert "not checked" in said
        assert "web1 ended with status 1" in said
        for invariant in PROMISES:
            assert invariant in said
    assert re.search(r"lost +2\n", text)
    assert re.search(r"misdelivered +0\n", text)
    assert re.search(r"sends acknowledged +10\n", text)
    assert "&lt;b&gt;one&lt;/b&gt;" in page


def test_each_nemesis_has_a_row(folder: Path) -> None:
    """With what was acknowledged under it, and only what met something as a fault."""
    text, page = (folder / "report.txt").read_text(), (folder / "report.html").read_text()
    assert re.search(r"  4 kills and empties Redis +\d+ +0 +0 +0 +1 +1 +0  kill 1\n", text)
    assert re.search(r"faults that met something +2\n", text)
    for said in (text, page):
        assert "no disk" in said
        assert "closed with 4501" in said or re.search(r"4501 +1\n", said)


def test_a_line_ends_where_nothing_was_acknowledged() -> None:
    numbers = Numbers()
    numbers.until = 10.0
    for second in (0, 1, 2, 6, 7):
        numbers.latencies[second] = array("f", [20.0])
    assert [len(run) for run in numbers.percentiles(10)] == [3, 2]
    assert numbers.silences(10) == [(3, 6), (8, 11)]


def test_it_can_be_judged_once_more(folder: Path, tmp_path: Path) -> None:
    """By what is in its folder, to the same verdicts."""
    story = tell_story()
    story.write(folder / "history.jsonl")
    save_final(story.final, folder)
    again = tmp_path / "again"
    assert load_final(folder) == story.final
    assert judge_again(folder / "history.jsonl", again, is_busy=False) == 0
    assert "All 14 invariants that were checked hold." in (again / "report.txt").read_text()
    story.final.conversations[HERS].messages.pop()
    save_final(story.final, folder)
    assert judge_again(folder / "history.jsonl", again, is_busy=False) == 1


@pytest.mark.parametrize("left_out", ["I1", "I9", "I12"])
def test_only_files_may_be_left_out(left_out: str) -> None:
    verdicts = [Verdict(name, holds=True, checked=int(name != left_out)) for name in PROMISES]
    assert shown(verdicts) is (left_out == "I12")
    broken = Verdict("I12", holds=False, checked=1)
    assert not shown([*verdicts, broken])


def test_the_page_needs_nothing_but_itself(folder: Path) -> None:
    page = (folder / "report.html").read_text()
    assert page.count("<svg") == 6  # Three plots, for wide and for narrow screens.
    assert "<script" not in page
    assert not re.search(r"""(?:src|href|url)\s*[=(]""", page)
    assert "prefers-color-scheme: dark" in page


def test_nothing_is_said_of_the_machine(folder: Path) -> None:
    for name in ("report.txt", "report.html"):
        said = re.sub("<style>.*?</style>", "", (folder / name).read_text(), flags=re.DOTALL)
        assert str(folder) not in said
        assert str(PROJECT) not in said
        assert socket.gethostname() not in said
        assert not re.search(rf"\b{re.escape(getpass.getuser())}\b", said)
