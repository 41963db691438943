"""Somebody at a tab: what an operation works with."""

import asyncio
from dataclasses import dataclass
from random import Random

from tests.faults.clients.answers import Answer
from tests.faults.clients.outbox import Outbox
from tests.faults.clients.people import Conversation, Draft, Person, make_key
from tests.faults.clients.scene import Scene
from tests.faults.clients.tabs import RoomTab, Tab

WORDS = ("still there", "what is the least you take", "on Saturday", "two doors", "a scratch")


@dataclass(eq=False)
class Actor:
    """A tab and what it has unsent."""

    scene: Scene
    tab: Tab
    outbox: Outbox

    @property
    def person(self) -> Person:
        return self.tab.person

    def write(self, conversation: Conversation, random: Random, *, starts: bool = False) -> Draft:
        about = conversation.listing if starts else conversation.id
        body = self.person.write(about, f"{random.choice(WORDS)} {random.randrange(10**6)}")
        return Draft(conversation, make_key(random), body, starts=starts)

    def choose(self, random: Random) -> Conversation:
        """What is on the tab, or for a list and for callers anything of theirs."""
        if isinstance(self.tab, RoomTab):
            return self.tab.conversation
        return random.choice(self.person.conversations)

    async def post(self, kind: str, path: str, random: Random, about: dict[str, object],
                   **fields: object) -> Answer:  # fmt: skip
        web = self.scene.choose_web(random)
        value = {"person": self.person.id, **about}
        session = self.tab.session()
        return await self.scene.post(self.tab.who, kind, value, session, web, path, **fields)

    async def insist(self, kind: str, path: str, random: Random, about: dict[str, object],
                     **fields: object) -> None:  # fmt: skip
        """Until it is done, or refused for good."""
        while (await self.post(kind, path, random, about, **fields)).try_again:
            await asyncio.sleep(0.5)
            await self.person.is_in.wait()
