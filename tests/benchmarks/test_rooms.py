"""What is measured is checked as well: each way in which it can be wrong is seen."""

import json
from collections import Counter
from uuid import UUID

import pytest

from benchmarks.load.dialects import Contract, Dialect, RefusedMessage, Tutorial, body_of
from benchmarks.load.identifiers import Origin, parse
from benchmarks.load.rooms import Room, Tally

CONTRACT = Contract()


class Wire:
    """Keeps what is sent instead of sending it."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, identifier: str) -> None:
        self.sent.append(identifier)

    def abort(self) -> None:
        pass


def make_room() -> tuple[Room, list[Wire]]:
    room, wires = Room(0, Tally()), [Wire(), Wire()]
    room.lines.extend(wires)
    return room, wires


def take(room: Room, side: int, text: bytes, dialect: Dialect = CONTRACT) -> None:
    arrival = dialect.read(text)
    assert arrival is not None
    room.take(side, arrival)


def message(identifier: str, revision: int) -> bytes:
    frame = {"type": "chat_message", "message": body_of(identifier), "revision": revision}
    return json.dumps(frame).encode()


def ack(identifier: str, revision: int) -> bytes:
    frame = {"type": "ack", "client_message_id": identifier, "revision": revision}
    return json.dumps(frame).encode()


def send_two(room: Room, wires: list[Wire]) -> list[str]:
    origin = Origin(run=7, conversation=0, side=0, slot=0)
    room.send(origin)
    room.send(origin)
    return wires[0].sent


def mistakes(room: Room) -> Counter[str]:
    room.judge()
    return +room.tally.mistakes


def test_an_id_says_where_it_belongs() -> None:
    origin = Origin(run=0xFFFFFFFF, conversation=2499, side=1, slot=7)
    assert parse(origin.identifier(10**9)) == (origin, 10**9)


def test_what_goes_well_is_no_mistake() -> None:
    room, wires = make_room()
    first, second = send_two(room, wires)
    for number, identifier in enumerate((first, second), 1):
        take(room, 0, ack(identifier, number))
        assert room.tally.completed == number - 1
        take(room, 1, message(identifier, number))
        assert room.tally.completed == number
    assert mistakes(room) == {}
    assert len(room.tally.delays) == 2


def test_in_the_tutorial_one_s_own_copy_is_the_ack() -> None:
    room, wires = make_room()
    room.send(Origin(7, 0, 0, 0))
    tutorial = Tutorial()
    text = tutorial.say(wires[0].sent[0])
    take(room, 0, text, tutorial)
    assert room.tally.completed == 0
    take(room, 1, text, tutorial)
    assert (room.tally.completed, mistakes(room)) == (1, {})


def test_what_never_came_is_lost() -> None:
    room, wires = make_room()
    first, _ = send_two(room, wires)
    take(room, 0, ack(first, 1))
    take(room, 1, message(first, 1))
    assert mistakes(room) == {"lost": 1}


def test_the_second_before_the_first() -> None:
    room, wires = make_room()
    first, second = send_two(room, wires)
    take(room, 1, message(second, 2))
    take(room, 1, message(first, 1))
    found = mistakes(room)
    assert found["out of order"] == 1
    assert found["an older revision"] == 1


def test_a_message_that_comes_twice() -> None:
    room, wires = make_room()
    first, _ = send_two(room, wires)
    take(room, 1, message(first, 1))
    take(room, 1, message(first, 1))
    assert mistakes(room)["twice"] == 1


def test_a_message_of_another_conversation() -> None:
    room, _ = make_room()
    take(room, 1, message(Origin(7, 5, 0, 0).identifier(1), 1))
    assert mistakes(room)["not in flight here"] == 1


def test_an_ack_for_who_did_not_send_it() -> None:
    room, wires = make_room()
    first, _ = send_two(room, wires)
    take(room, 1, ack(first, 1))
    assert mistakes(room)["a wrong ack"] == 1


def test_numbers_with_a_gap() -> None:
    room, wires = make_room()
    for identifier, number in zip(send_two(room, wires), (1, 3), strict=True):
        take(room, 0, ack(identifier, number))
        take(room, 1, message(identifier, number))
    assert mistakes(room) == {"a gap in the revisions": 1}


def test_an_ack_with_another_number_than_the_message() -> None:
    room, wires = make_room()
    for identifier, number in zip(send_two(room, wires), (1, 2), strict=True):
        take(room, 0, ack(identifier, 1))
        take(room, 1, message(identifier, number))
    assert mistakes(room) == {"an ack of another revision": 1}


def test_a_refusal_ends_it() -> None:
    with pytest.raises(RefusedMessage, match="rate_limited"):
        CONTRACT.read(b'{"type": "error", "code": "rate_limited"}')


def test_what_is_said_is_what_the_contract_asks_for() -> None:
    identifier = Origin(7, 0, 0, 0).identifier(1)
    said = json.loads(CONTRACT.say(identifier))
    assert (said["type"], said["client_message_id"]) == ("chat_message", identifier)
    assert len(said["message"]) == 100
    assert str(UUID(identifier)) == identifier
