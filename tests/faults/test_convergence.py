"""What counts at the end of a campaign is what tabs have 40 seconds after healing, not later."""

import asyncio
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.faults.clients.convergence import Convergence
from tests.faults.clients.doors import Doors
from tests.faults.clients.people import Conversation, Person
from tests.faults.clients.rooms import Message, Room
from tests.faults.clients.scene import Scene
from tests.faults.clients.tabs import RoomTab
from tests.faults.history import History, read_history

SECONDS = 40.0
FIRST, SECOND = Message(1, 1, "first", False), Message(2, 2, "second", False)


async def sign_in(number: int) -> str:
    return str(number)


@pytest.fixture
def tab(tmp_path: Path) -> RoomTab:
    """With the first message of two."""
    scene = Scene(History(tmp_path / "history.jsonl"), [], "1", Doors([]))
    person = Person(1, "one@example.org", "One", sign_in, Random(1))
    other = Person(2, "two@example.org", "Two", sign_in, Random(2))
    made = RoomTab(scene, person, 1, Conversation("chair", person, other, id="x"))
    made.ready = True
    made.room.take(FIRST)
    return made


def end(tab: RoomTab, monkeypatch: pytest.MonkeyPatch, *, left: float | None) -> Convergence:
    """`left`: of the 40 seconds. The second message is there at once, takes half a second to be
    read and comes to the tab in that time."""
    convergence = Convergence(tab.scene, [tab])

    async def read_slowly(_: object) -> None:
        await asyncio.sleep(0.5)
        tab.room.take(SECOND)
        convergence.truth["x"] = Room("x")
        convergence.truth["x"].take(FIRST)
        convergence.truth["x"].take(SECOND)

    monkeypatch.setattr(Convergence, "_read_everything", read_slowly)
    healed = None if left is None else time.monotonic() - (SECONDS - left)
    asyncio.run(convergence.reach(SECONDS, healed=healed))
    tab.scene.history.close()
    return convergence


def read_ends(tab: RoomTab) -> list[dict[str, Any]]:
    records = read_history(tab.scene.history.path)
    return [record.value for record in records if record.kind == "final"]


def test_what_comes_too_late_does_not_count(tab: RoomTab, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it takes to read what there is."""
    convergence = end(tab, monkeypatch, left=0.1)
    (told,) = read_ends(tab)
    assert told["messages"] == [list(FIRST)]
    assert SECONDS <= told["seconds"] == round(convergence.seconds, 3)
    assert convergence.behind == [tab.who]


def test_who_has_everything_is_waited_for_no_longer(
    tab: RoomTab, monkeypatch: pytest.MonkeyPatch
) -> None:
    convergence = end(tab, monkeypatch, left=30.0)
    (told,) = read_ends(tab)
    assert told["messages"] == [list(FIRST), list(SECOND)]
    assert 10.0 < told["seconds"] < SECONDS
    assert convergence.behind == []


def test_where_nothing_was_healed_there_is_nothing_to_count_from(
    tab: RoomTab, monkeypatch: pytest.MonkeyPatch
) -> None:
    convergence = end(tab, monkeypatch, left=None)
    (told,) = read_ends(tab)
    assert "seconds" not in told
    assert told["messages"] == [list(FIRST), list(SECOND)]
    assert convergence.behind == []
