"""Those who ask at the same time are answered together, and each with what is theirs."""

import asyncio
from collections.abc import Sequence

import pytest
from django.db import OperationalError

from messaging.exceptions import NotFound
from messaging.gathering import MOST_TOGETHER, READINGS_AT_ONCE, Gathering, outcome_of


class Library:
    """Doubles numbers, when it is let."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.go_on = asyncio.Event()

    async def read(self, numbers: Sequence[int]) -> Sequence[int | Exception]:
        self.asked.append(list(numbers))
        await self.go_on.wait()
        if 13 in numbers:
            raise OSError("away")
        return [NotFound() if number == 7 else 2 * number for number in numbers]


async def begin(gathering: Gathering[int, int], *numbers: int) -> list["asyncio.Task[int]"]:
    tasks = [asyncio.create_task(gathering.ask(number)) for number in numbers]
    for _ in range(5):  # Turns of the loop, for all of them to have begun.
        await asyncio.sleep(0)
    return tasks


async def test_who_asks_together_is_read_together_and_answered_apart() -> None:
    library = Library()
    gathering = Gathering(library.read)
    library.go_on.set()
    answers = await asyncio.gather(*await begin(gathering, 1, 7, 3), return_exceptions=True)
    assert library.asked == [[1, 7, 3]]
    assert [answers[0], answers[2]] == [2, 6]
    assert isinstance(answers[1], NotFound)


async def test_who_asks_during_a_reading_is_in_a_later_one() -> None:
    """What was read before they asked may not hold any more."""
    library = Library()
    gathering = Gathering(library.read)
    early = [await begin(gathering, number) for number in range(20, 20 + READINGS_AT_ONCE)]
    late = await begin(gathering, 1, 2, 3)
    assert library.asked == [[20 + place] for place in range(READINGS_AT_ONCE)]
    library.go_on.set()
    assert await asyncio.gather(*late) == [2, 4, 6]
    assert [1, 2, 3] in library.asked
    for tasks in early:
        await asyncio.gather(*tasks)


async def test_a_reading_that_fails_costs_those_in_it_and_nobody_later() -> None:
    library = Library()
    gathering = Gathering(library.read)
    library.go_on.set()
    failed = await asyncio.gather(*await begin(gathering, 1, 13), return_exceptions=True)
    assert [type(error) for error in failed] == [OSError, OSError]
    assert await gathering.ask(2) == 4


async def test_who_goes_while_it_is_read_leaves_the_others_their_answer() -> None:
    library = Library()
    gathering = Gathering(library.read)
    gone, stays = await begin(gathering, 1, 2)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    library.go_on.set()
    assert await stays == 4


async def test_no_reading_is_larger_than_it_may_be() -> None:
    library = Library()
    gathering = Gathering(library.read)
    library.go_on.set()
    numbers = range(100, 100 + 2 * MOST_TOGETHER + 1)
    answers = await asyncio.gather(*await begin(gathering, *numbers))
    assert answers == [2 * number for number in numbers]
    assert max(map(len, library.asked)) == MOST_TOGETHER


async def test_a_reading_that_hangs_keeps_nobody_waiting_who_is_not_in_it() -> None:
    """Whatever the number of those that may go on at a time."""
    first_hangs = asyncio.Event()

    async def read(numbers: Sequence[int]) -> Sequence[int]:
        if 1 in numbers:
            await first_hangs.wait()
        return [2 * number for number in numbers]

    gathering: Gathering[int, int] = Gathering(read)
    (hanging,) = await begin(gathering, 1)
    for number in range(2, 6):
        assert await asyncio.wait_for(gathering.ask(number), 5) == 2 * number
    first_hangs.set()
    assert await hanging == 2


async def test_who_asks_in_the_moment_in_which_all_readings_end_is_read() -> None:
    """All of them have looked for the last time at who waits."""
    library = Library()
    gathering = Gathering(library.read)
    answers: list[int] = []

    async def ask_twice(number: int) -> None:
        answers.append(await gathering.ask(number))
        answers.append(await asyncio.wait_for(gathering.ask(number + 1), 5))

    asking = []
    for number in range(10, 10 + 10 * READINGS_AT_ONCE, 10):
        asking.append(asyncio.create_task(ask_twice(number)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert len(library.asked) == READINGS_AT_ONCE
    library.go_on.set()
    await asyncio.gather(*asking)
    assert len(answers) == 2 * READINGS_AT_ONCE


async def test_nothing_is_read_for_who_goes_before_it_is_their_turn() -> None:
    library = Library()
    gathering = Gathering(library.read)
    early = [await begin(gathering, number) for number in range(20, 20 + READINGS_AT_ONCE)]
    gone, stays = await begin(gathering, 1, 2)
    gone.cancel()
    await asyncio.wait([gone])
    library.go_on.set()
    assert await stays == 4
    assert [2] in library.asked
    await asyncio.gather(*(task for tasks in early for task in tasks))


async def test_the_answer_to_what_failed_is_the_failure() -> None:
    def halve(number: int) -> int:
        if number % 2:
            raise ValueError
        return number // 2

    def fail(number: int) -> int:
        raise OperationalError("away")

    found = [outcome_of(halve, number) for number in (4, 3)]
    assert (found[0], type(found[1])) == (2, ValueError)
    with pytest.raises(OperationalError):
        outcome_of(fail, 1)
