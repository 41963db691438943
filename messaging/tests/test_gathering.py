"""Those who ask at the same time are answered together, and each with what is theirs."""

import asyncio
from collections.abc import Sequence

import pytest

from messaging.exceptions import NotFound
from messaging.gathering import MOST_TOGETHER, READINGS_AT_ONCE, Gathering


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
