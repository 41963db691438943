"""A nemesis that met nothing makes a run a failure, where that is no chance."""

from pathlib import Path
from typing import Any

import pytest

from tests.faults.checker import running
from tests.faults.checker.reading import Reading
from tests.faults.final_file import save_final
from tests.faults.judging import judge_again
from tests.faults.nemeses import NEMESES
from tests.faults.nemeses.effects import ALL_SECONDS, CHANCE_SECONDS, DOES, Effects
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_told import tell_story

SHORT, LONG = 20.0, ALL_SECONDS + 1


def go_through(story: Story, nemesis: int, seconds: float) -> None:
    story.see("campaign", "phase", name=f"nemesis {nemesis}", nemesis=nemesis)
    story.wait(seconds)
    story.phase("healing")
    story.wait(60)


def act(story: Story, nemesis: int, kind: str, effect: int = 1, **how: Any) -> None:
    operation = story.invoke("nemesis", kind, nemesis=nemesis, target="web1", **how)
    story.end(operation, "ok", effect=effect)


def list_idle(story: Story, directory: Path) -> list[str]:
    effects = Effects()
    Reading([effects]).read(story.write(directory / "history.jsonl"))
    return effects.list_idle()


@pytest.mark.parametrize("nemesis", sorted(set(NEMESES) - {0}))
def test_who_meets_nothing_in_a_long_run_is_told(nemesis: int, tmp_path: Path) -> None:
    story = Story()
    go_through(story, nemesis, LONG)
    act(story, nemesis, "pause", effect=0)
    assert list_idle(story, tmp_path) == [f"nemesis {nemesis} met nothing"]


@pytest.mark.parametrize("nemesis", sorted(set(NEMESES) - {0}))
def test_in_a_short_run_some_may_meet_nothing_by_chance(nemesis: int, tmp_path: Path) -> None:
    story = Story()
    go_through(story, nemesis, SHORT - 1)
    told = [] if nemesis in CHANCE_SECONDS else [f"nemesis {nemesis} met nothing"]
    assert list_idle(story, tmp_path) == told


def test_all_phases_of_a_nemesis_count(tmp_path: Path) -> None:
    story = Story()
    for _ in range(4):
        go_through(story, 9, SHORT)
    assert list_idle(story, tmp_path) == ["nemesis 9 met nothing"]


@pytest.mark.parametrize(
    ("seconds", "effect", "told"),
    [
        (SHORT, 0, []),
        (LONG, 0, ["nemesis 9 met nothing by: never reads"]),
        (LONG, 1, []),
    ],
)
def test_in_a_long_run_each_thing_that_it_does_meets_something(
    seconds: float, effect: int, told: list[str], tmp_path: Path
) -> None:
    story = Story()
    go_through(story, 9, seconds)
    act(story, 9, "flood", how="never stops")
    act(story, 9, "flood", effect, how="never reads")
    assert list_idle(story, tmp_path) == told


def test_a_mail_server_that_is_away_is_no_mail_that_fails(tmp_path: Path) -> None:
    story = Story()
    go_through(story, 10, LONG)
    act(story, 10, "mail_fault", away=True)
    assert list_idle(story, tmp_path) == ["nemesis 10 met nothing by: mail fault"]
    act(story, 10, "mail_fault", share=0.2)
    assert list_idle(story, tmp_path) == []


def test_a_cut_beside_it_is_no_failpoint(tmp_path: Path) -> None:
    story = Story()
    go_through(story, 13, LONG)
    act(story, 13, "cut")
    assert list_idle(story, tmp_path) == ["nemesis 13 met nothing"]


def test_what_was_skipped_is_told_elsewhere(tmp_path: Path) -> None:
    story = Story()
    go_through(story, 12, LONG)
    story.see("nemesis", "skipped", nemesis=12, why="no disk")
    assert list_idle(story, tmp_path) == []


def test_it_makes_a_run_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "LEAST_CONTROL_SENDS", 5)  # A story has few.
    story = tell_story()
    save_final(story.final, tmp_path)
    history = story.write(tmp_path / "history.jsonl")
    assert judge_again(history, tmp_path, is_busy=False) == 0
    go_through(story, 6, SHORT)
    story.write(history)
    assert judge_again(history, tmp_path, is_busy=False) == 1
    assert "nemesis 6 met nothing" in (tmp_path / "report.txt").read_text()


def test_each_nemesis_is_known() -> None:
    assert set(DOES) == set(NEMESES) - {0, 15}
