"""People who are only there for what nobody else does: a new password, and an account closed.

Two in each conversation. The one writes on; of the other all sessions end in the middle of it, for
good or until they come back with a new one. What is tried in them is judged like after a log-out.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random

from tests.faults.clients.actors import Actor
from tests.faults.clients.afterwards import try_what_is_over
from tests.faults.clients.endings import sign_in
from tests.faults.clients.people import Person

# What is done to an account, by the account's number. RuntimeError when it is not known to be done.
ChangeAccount = Callable[[str, int], Awaitable[None]]

CHANGE_PASSWORD, DEACTIVATE = "change_password", "deactivate"
# In turn, one for each pair.
ENDINGS = (CHANGE_PASSWORD, DEACTIVATE)
FIRST_SECONDS = 5.0
# Half of them lose their sessions, half of these for good. More people would have less to say.
LEAST_PEOPLE, MOST_PEOPLE = 8, 24
MINUTES_FOR_TWO = 4.0


def count_people(minutes: float) -> int:
    """How many of them a run of that length has; an even number."""
    return min(MOST_PEOPLE, max(LEAST_PEOPLE, 2 * round(minutes / MINUTES_FOR_TWO)))


def pair_up(people: Sequence[Person]) -> list[tuple[Person, Person]]:
    """A seller and a buyer each. Nobody else has anything to do with them."""
    return list(zip(people[::2], people[1::2], strict=True))


async def end_accounts(buyers: Sequence[Actor], change: ChangeAccount, seconds: float) -> None:
    """Of all of them, each at its own time within so many seconds; one actor of each."""
    endings = (ENDINGS[number % len(ENDINGS)] for number in range(len(buyers)))
    works = [
        end_account(actor, kind, change, seconds)
        for kind, actor in zip(endings, buyers, strict=True)
    ]
    await asyncio.gather(*works)


async def end_account(actor: Actor, kind: str, change: ChangeAccount, seconds: float) -> None:
    """As often as it takes: the database may be away."""
    scene, person = actor.scene, actor.person
    random = Random(f"{scene.seed} {person.id} {kind}")
    await scene.rest(random.uniform(FIRST_SECONDS, max(FIRST_SECONDS, seconds)))
    async with person.changing:
        while not await _try(actor, kind, change):
            await asyncio.sleep(1)
        await try_what_is_over(actor, random)
        if kind == DEACTIVATE:
            person.go()
            return
        person.leave()
        await asyncio.sleep(random.uniform(1, 3))
        await sign_in(scene, person)


async def _try(actor: Actor, kind: str, change: ChangeAccount) -> bool:
    history, person = actor.scene.history, actor.person
    who, number = f"{person.id}", person.devices[-1].number
    operation = history.invoke(who, kind, person=person.id, session=number)
    try:
        await change(kind, person.id)
    except RuntimeError:
        history.end(operation, who, kind, "unknown", why="the process that did it failed")
        return False
    told = {"session": number} | ({"kept": number + 1} if kind == CHANGE_PASSWORD else {})
    history.end(operation, who, kind, "ok", **told)
    return True
