"""What a campaign's people are made of: the schedule, the world, and what a tab holds."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.faults.campaign import Outcome
from tests.faults.checker.windows import AFTERMATH
from tests.faults.clients import world
from tests.faults.clients.answers import Answer, refused, unknown
from tests.faults.clients.doors import Doors
from tests.faults.clients.rooms import Message, Room
from tests.faults.clients.scene import Scene
from tests.faults.clients.tabs import pause_after
from tests.faults.history import History
from tests.faults.nemeses import NEMESES, hindering, hostile
from tests.faults.nemeses.field import LEAST
from tests.faults.schedule import HEALING_SECONDS, Phase, plan, seconds_of


@dataclass(frozen=True)
class Somebody:
    id: int
    email: str = ""
    name: str = ""


@dataclass(frozen=True)
class Something:
    slug: str
    seller: int


async def sign_in(person_id: int) -> str:
    return f"key of {person_id}"


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    history = History(tmp_path / "history.jsonl")
    yield history
    history.close()


def make_scene(history: History, seed: str) -> Scene:
    scene = Scene(history, [], seed, Doors([]))
    world.meet_people(scene, [Somebody(number) for number in range(60)], sign_in)
    return scene


@pytest.mark.parametrize("minutes", [8.0, 12.0, 60.0])
def test_every_nemesis_gets_its_share_of_the_time(minutes: float) -> None:
    phases = plan([*range(16)], minutes=minutes, seconds_each=20)
    shares = dict.fromkeys(range(16), 0.0)
    for phase in phases:
        shares[phase.nemesis] += phase.seconds
    equal = {round(shares[number] / NEMESES[number].share, 6) for number in range(1, 16)}
    assert len(equal) == 1
    assert shares[0] > shares[1]
    assert seconds_of(phases) == pytest.approx(minutes * 60)


def test_what_has_to_take_long_has_the_time_for_it() -> None:
    """By itself: something half-open outlasts 25 s, and a client that never reads is cut; and what
    one nemesis did is over before the next one begins."""
    seconds = {
        phase.nemesis: phase.seconds for phase in plan([6, 8, 9], minutes=60, seconds_each=20)
    }
    for number, act in ((6, hindering.pause_for_long), (8, hindering.open_long_black_hole)):
        assert seconds[number] > LEAST[act] + 5 > 30
    assert seconds[9] > LEAST[hostile.stop_reading] + 5
    assert HEALING_SECONDS > AFTERMATH


def test_after_the_worst_there_is_twice_the_time_to_heal() -> None:
    everything = plan([1, 6, 15], minutes=0.01, seconds_each=20)
    assert [phase.healing for phase in everything] == [0, 12, 24, 24]
    assert seconds_of(everything) == sum(phase.seconds for phase in everything) + 60


def test_quiet_phases_stand_between_the_others() -> None:
    nemeses = [phase.nemesis for phase in plan([1, 2, 3, 4], minutes=2, seconds_each=20)]
    assert nemeses == [0, 1, 2, 3, 0, 4]


def test_too_little_time_still_strikes_with_all() -> None:
    phases = plan([1, 2], minutes=0.01, seconds_each=20)
    assert Phase(1, 5.0, 1) in phases
    assert Phase(2, 5.0, 1) in phases


def test_a_seed_makes_the_same_world_again(history: History) -> None:
    listings = [Something(f"listing-{number}", number % 60) for number in range(120)]

    def draw(seed: str) -> list[tuple[str, int, int, bool]]:
        planned = world.plan_conversations(make_scene(history, seed), listings)
        return [(each.listing, each.buyer.id, each.seller.id, each.is_hot) for each in planned]

    first, again, other = draw("1"), draw("1"), draw("2")
    assert first == again != other
    assert len(first) == world.CONVERSATIONS
    assert {number for _, *pair, _ in first for number in pair} == set(range(60))
    hot = [pair for _, *pair, is_hot in first if is_hot]
    assert len(hot) == world.HOT_CONVERSATIONS
    assert len({number for pair in hot for number in pair}) == 2 * len(hot)


def test_who_is_passing_through_talks_in_pairs_and_with_nobody_else(history: History) -> None:
    scene = make_scene(history, "1")
    listings = [Something(f"listing-{number}", number % 60) for number in range(120)]
    planned = world.plan_conversations(scene, listings, passing_through=4)
    passing = set(scene.people[-4:])
    pairs = [{each.buyer, each.seller} for each in planned if {each.buyer, each.seller} & passing]
    assert pairs == [set(scene.people[-4:-2]), set(scene.people[-2:])]
    assert not {seller for _, seller in scene.listings} & passing


def test_what_goes_wrong_beside_the_tabs_is_raised(history: History) -> None:
    async def fail() -> None:
        raise LookupError("a frame without its field")

    async def run() -> None:
        scene = make_scene(history, "1")
        scene.check()
        scene.spawn(fail())
        await scene.finish_side_work()
        with pytest.raises(LookupError):
            scene.check()

    asyncio.run(run())


@pytest.mark.parametrize(
    "wrong",
    [
        {"everybody_mailed": False},
        {"crashes": ["worker1 ended with status 1"]},
        {"silent": ["nemesis 5"]},
        {"skipped": [(12, "there is no mount")]},
        {"convergence": SimpleNamespace(behind=["1.1"])},
    ],
)
def test_a_campaign_fails_whatever_the_verdicts_say(wrong: dict[str, Any]) -> None:
    good: dict[str, Any] = {field.name: [] for field in fields(Outcome)}
    good |= {"everybody_mailed": True, "convergence": SimpleNamespace(behind=[])}
    assert Outcome(**good).list_failures() == []
    assert len(Outcome(**good | wrong).list_failures()) == 1


def test_who_signs_in_again_has_new_sessions_of_a_later_number(history: History) -> None:
    person = make_scene(history, "1").people[0]
    asyncio.run(person.enter())
    before = {session.number for session in person.devices}
    person.leave()
    assert not person.is_in.is_set()
    asyncio.run(person.enter())
    assert before == {1}
    assert {session.number for session in person.devices} == {2}
    assert len({session.csrf_token for session in person.devices}) == len(person.devices)


def frame(sequence: int, revision: int, body: str, *, deleted: bool = False) -> dict[str, object]:
    return {"sequence": sequence, "revision": revision, "message": body, "deleted": deleted}


def test_a_room_holds_the_latest_state_of_each_message_once() -> None:
    room = Room("a conversation")
    for told in (frame(1, 1, "one"), frame(2, 3, "two, rather"), frame(2, 2, "two")):
        room.take_frame(told)
    room.take_frame(frame(1, 4, "", deleted=True))
    assert room.list_held() == [Message(1, 4, "", True), Message(2, 3, "two, rather", False)]
    assert room.revision == 4


def test_an_answer_to_ones_own_message_does_not_move_the_place_to_resume() -> None:
    room = Room("another conversation")
    room.take_frame(frame(1, 1, "one"))
    room.take_own(Message(3, 3, "mine", False))
    assert room.revision == 1
    assert not room.lacks(3)
    assert room.lacks(4)
    room.take_frame(frame(2, 2, "theirs, which was slower"))
    assert [message.sequence for message in room.list_held()] == [1, 2, 3]


def test_a_late_answer_does_not_undo_an_edit() -> None:
    room = Room("a third conversation")
    room.take_frame(frame(1, 2, "edited elsewhere"))
    room.take_own(Message(1, 1, "as it was sent", False))
    assert room.list_held() == [Message(1, 2, "edited elsewhere", False)]


@pytest.mark.parametrize(
    ("answer", "again"),
    [
        (Answer("ok"), False),
        (unknown("ReadTimeout"), True),
        (refused("unavailable"), True),
        (refused("unauthenticated"), True),
        (refused("forbidden"), False),
        (refused("conflict"), False),
    ],
)
def test_what_is_sent_again_with_the_same_id(answer: Answer, again: bool) -> None:
    assert answer.try_again is again


def test_a_flooder_and_a_restart_pause_before_they_come_back() -> None:
    class Last:
        def random(self) -> float:
            return 0.999

    class First(Last):
        def random(self) -> float:
            return 0.0

    assert pause_after(1006, 0, First()) == 0.0  # type: ignore[arg-type]
    assert pause_after(1006, 9, Last()) < 4.0  # type: ignore[arg-type]
    assert pause_after(4429, 0, First()) == 10.0  # type: ignore[arg-type]
    assert pause_after(4412, 0, Last()) < 4.0  # type: ignore[arg-type]
