"""The report stands alone: it says what was found, and nothing of the machine that found it."""

import getpass
import re
import socket
from array import array
from importlib.metadata import version as version_of
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.faults.checker import PROMISES, Verdict, find_lacking, judge, running, shown
from tests.faults.checker.reading import Reading
from tests.faults.final_file import load_final, save_final
from tests.faults.judging import judge_again
from tests.faults.reports.nemeses import list_failures
from tests.faults.reports.numbers import Numbers
from tests.faults.reports.report import write_report
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_lines import HERS
from tests.faults.spoiled.story_told import RUN, tell_story
from tests.services.places import PROJECT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With the report of a run in which one invariant is broken and one was not looked at."""
    story, numbers = tell_story(), Numbers()
    history = story.write(tmp_path / "history.jsonl")
    verdicts = judge(history, story.final, also=[numbers])
    numbers.outcome["crashes"] = ["web1 ended with status 1"]
    numbers.outcome["skipped"] = [[12, "no disk"]]
    numbers.skipped[12] = "no disk"
    verdicts[0] = Verdict("I1", holds=False, checked=9, examples=["<b>one</b>"], violations=2)
    verdicts[11] = Verdict("I12", holds=True, checked=0)
    outcome = SimpleNamespace(history=history, final=story.final)
    write_report(tmp_path, outcome, verdicts, numbers=numbers)
    return tmp_path


def test_both_forms_say_what_was_found(folder: Path) -> None:
    text, page = (folder / "report.txt").read_text(), (folder / "report.html").read_text()
    for said in (text, page):
        assert "Broken: I1." in said
        assert "not checked" in said
        assert "web1 ended with status 1" in said
        for invariant in PROMISES:
            assert invariant in said
    for total in ("lost", "duplicated", "misdelivered"):
        assert re.search(rf"{total} +0\n", text), total
    assert re.search(r"messages acknowledged +10\n", text)
    assert "&lt;b&gt;one&lt;/b&gt;" in page


def test_a_skipped_nemesis_makes_it_a_failure() -> None:
    assert list_failures({"skipped": []}) == []
    assert list_failures({"skipped": [[12, "no disk"]]}) == ["nemesis 12 was skipped"]


def test_each_nemesis_has_a_row(folder: Path) -> None:
    """With what was acknowledged under it, and only what met something as a fault."""
    text, page = (folder / "report.txt").read_text(), (folder / "report.html").read_text()
    assert re.search(r"  4 kills and empties Redis +\d+ +0 +0 +0 +1 +1 +0  kill 1\n", text)
    assert re.search(r"faults that met something +3\n", text)
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


def test_it_can_be_judged_once_more(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what is in its folder, to the same verdicts."""
    monkeypatch.setattr(running, "LEAST_CONTROL_SENDS", 5)  # A story has few.
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


def test_what_was_run_comes_from_the_history(folder: Path) -> None:
    """Nothing of it from where it is judged."""
    text, page = (folder / "report.txt").read_text(), (folder / "report.html").read_text()
    for said in (text, page):
        assert re.search(r"\b[Ss]eed 7,", said)
        assert "0123456789ab" in said
        assert "4 people in 3 conversations" in said
        for version in ("3.11.9", "15.8", "7.0.1"):
            assert version in said
        assert version_of("django") not in said
    assert re.search(r"processes killed +5\n", text)
    assert re.search(r"pool child +2\n", text)
    assert re.search(r"after healing all tabs had all within +23.0 s\n", text)


def test_an_old_history_takes_what_it_does_not_say_from_the_report_of_its_time(
    folder: Path, tmp_path: Path
) -> None:
    story = tell_story()
    for name in RUN:
        del story.lines[-1]["value"][name]
    story.write(folder / "history.jsonl")
    save_final(story.final, folder)
    again = tmp_path / "again"
    judge_again(folder / "history.jsonl", again, is_busy=False, seed=8)
    text = (again / "report.txt").read_text()
    for said in (r"seed 7,", r"PostgreSQL +15.8\n", r"pool child +2\n", r"processes killed +5\n"):
        assert re.search(said, text), said
    (folder / "report.txt").unlink()
    judge_again(folder / "history.jsonl", again, is_busy=False, seed=8)
    text = (again / "report.txt").read_text()
    for said in (r"seed 8,", r"redis +1\n", r"processes killed +2\n"):  # As the faults say.
        assert re.search(said, text), said
    assert version_of("django") not in text


def test_who_was_killed_is_known_from_the_faults(tmp_path: Path) -> None:
    numbers, story = Numbers(), Story()
    story.fault("kill", "web1", 1)
    child = story.invoke("nemesis", "kill", nemesis=3, target="worker2", part="pool child")
    story.end(child, "ok", effect=1)
    story.fault("kill", "worker1", 3, effect=0)
    story.fault("failpoint", "web2", 13, reached=True)
    story.fault("failpoint", "web2", 13, reached=False, effect=0)
    story.fault("stop_politely", "web2", 2, in_time=False)
    story.fault("pause", "web2", 6)
    Reading([numbers]).read(story.write(tmp_path / "history.jsonl"))
    assert numbers.killed == {"web": 3, "pool child": 1}


def test_each_part_has_to_be_shown_unless_it_is_named() -> None:
    verdicts = [Verdict(name, holds=True, checked=1) for name in PROMISES]
    assert shown(verdicts)
    parts = (("sessions", 5), ("leaving", 0))
    verdicts[9] = Verdict("I10", holds=True, checked=5, parts=parts)
    assert verdicts[9].word == "in part"
    assert not verdicts[9].passed
    assert not shown(verdicts)
    assert find_lacking(verdicts) == ["I10 leaving"]
    assert shown(verdicts, spared=["I10 leaving"])
    assert not shown(verdicts, spared=["I10", "leaving", "I10 sessions"])


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
