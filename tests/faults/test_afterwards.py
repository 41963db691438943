"""What people try in sessions that are over, and what is looked for in what they are answered."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import httpx
import pytest

from tests.faults.bodies import find_authors
from tests.faults.clients import afterwards, passing
from tests.faults.clients.actors import Actor
from tests.faults.clients.doors import Doors
from tests.faults.clients.looking import Looking
from tests.faults.clients.outbox import Outbox
from tests.faults.clients.people import Conversation, Person, make_key
from tests.faults.clients.scene import Scene
from tests.faults.clients.tabs import RoomTab
from tests.faults.history import History, Record, read_history

NOBODY = "http://127.0.0.1:9"  # Where nobody listens.
Answers = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    history = History(tmp_path / "history.jsonl")
    yield history
    history.close()


async def sign_in(person_id: int) -> str:
    return f"key of {person_id}"


def make_scene(history: History, answer: Answers) -> Scene:
    """Three people, of whom the first has asked the second about something."""
    scene = Scene(history, [NOBODY], "1", Doors([]))
    scene.people = [Person(number, "", "", sign_in, Random(number)) for number in (1, 2, 3)]
    buyer, seller, _ = scene.people
    scene.conversations = [Conversation("armchair", buyer, seller, id=make_key(Random(1)))]
    for person in (buyer, seller):
        person.conversations = list(scene.conversations)
    transport = httpx.MockTransport(answer)
    scene.doors.clients = [httpx.AsyncClient(transport=transport, base_url=NOBODY)]
    return scene


def read_lines(history: History) -> list[Record]:
    history.close()
    return list(read_history(history.path))


# --- After the end --------------------------------------------------------------------------------


def try_what_is_over(scene: Scene) -> None:
    buyer = scene.people[0]
    tab = RoomTab(scene, buyer, 1, scene.conversations[0])

    async def run() -> None:
        await buyer.enter()
        await afterwards.try_what_is_over(Actor(scene, tab, Outbox(scene, tab)), Random(1))
        await scene.doors.close()

    asyncio.run(run())


def test_everything_is_tried_in_the_session_that_is_over(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(afterwards, "SECONDS_TO_TRY", 0.0)
    refusal = {"code": "unauthenticated"}
    try_what_is_over(make_scene(history, lambda request: httpx.Response(401, json=refusal)))
    lines = read_lines(history)
    begun = {line.kind: line.value for line in lines if line.state == "invoke"}
    assert begun.keys() == {"send", "read", "list", "page", "connect"}
    assert {value["session"] for value in begun.values()} == {1}
    ended = {line.kind: line.value for line in lines if line.state == "fail"}
    assert ended.pop("connect") == {"status": 0}
    assert {value["code"] for value in ended.values()} == {"unauthenticated"}
    assert len(ended) == 4


@pytest.mark.parametrize(("status", "times"), [(401, 1), (503, 3)])
def test_it_is_tried_until_somebody_answers(
    status: int, times: int, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(afterwards, "PAUSE", 0.0)
    scene = make_scene(history, lambda request: httpx.Response(next(statuses)))
    statuses = iter([status] * (times - 1) + [401])

    async def run() -> None:
        await scene.people[0].enter()
        session = scene.people[0].devices[0]
        await afterwards.try_until_answered(lambda: scene.doors.get(1, "/", session))
        await scene.doors.close()

    asyncio.run(run())
    assert list(statuses) == []


@pytest.mark.parametrize(
    ("minutes", "people"), [(1, 8), (10, 8), (20, 10), (40, 20), (60, 24), (600, 24)]
)
def test_more_lose_their_sessions_in_a_longer_run(minutes: float, people: int) -> None:
    assert passing.count_people(minutes) == people


# --- What answers hold ----------------------------------------------------------------------------


def test_a_text_says_who_wrote_what_is_in_it() -> None:
    place = make_key(Random(2))
    text = f'{{"message": "12 3 {place}|two doors"}} <p>on 4 5\n6 armchair|1 2</p> 7 8 9 | no|'
    assert find_authors(text) == {(12, place), (5, "armchair")}


@pytest.mark.parametrize(
    ("person", "author", "place", "is_told"),
    [
        (0, 1, "armchair", False),
        (1, 1, "armchair", False),
        (0, 2, "armchair", True),  # Its seller asks nobody about it.
        (1, 2, "", False),
        (2, 1, "", True),
        (2, 1, "armchair", True),
        (0, 3, "", True),
    ],
)
def test_only_what_may_be_others_is_written_down(
    person: int, author: int, place: str, is_told: bool, history: History
) -> None:
    """`place`: empty for the conversation of the first two."""
    scene = make_scene(history, lambda request: httpx.Response(404, text=body))
    body = f"<p>{author} 7 {place or scene.conversations[0].id}|still there</p>"
    looking = Looking(scene)
    scene.doors.look = looking.look

    async def run() -> None:
        await scene.people[person].enter()
        await scene.doors.post(1, "/somewhere/", scene.people[person].devices[0])
        await scene.doors.get_page(1, "/elsewhere/", scene.people[person].devices[0])
        await scene.doors.close()

    asyncio.run(run())
    looking.tell()
    *told, looked = read_lines(history)
    assert looked.value == {"answers": 1, "pages": 1}
    assert [line.value["page"] for line in told] == [False, True] * is_told
    for line in told:
        assert line.value["person"] == scene.people[person].id
        assert line.value["bodies"] == [[author, place or scene.conversations[0].id]]
