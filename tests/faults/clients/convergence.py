"""The end of a campaign: everybody is served again, and writes down what they have."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.faults.clients import pulling
from tests.faults.clients.people import Conversation, Person
from tests.faults.clients.rooms import Message, Room
from tests.faults.clients.scene import Scene
from tests.faults.clients.tabs import InboxTab, RoomTab, Tab

AT_ONCE = 6
LOOK_EVERY = 0.5
SECONDS_TO_READ = 300.0


Rows = list[list[Any]]


@dataclass
class Held:
    """What a tab shows, at one moment."""

    ready: bool
    messages: list[Message] = field(default_factory=list)
    rows: Rows = field(default_factory=list)
    unread: int = 0


class Convergence:
    """`seconds`: how long it took from healing on, or from the last operation where nothing was
    hurt, until everybody had everything; where somebody never had, until nobody waited any more.
    `behind`: tabs that had not got everything in time, by name."""

    def __init__(self, scene: Scene, tabs: Sequence[Tab]) -> None:
        self.scene = scene
        self.tabs = tabs
        self.truth: dict[str, Room] = {}
        self.lists: dict[Person, Rows] = {}
        self.held: dict[Tab, Held] = {}  # When it counts.
        self.seconds = 0.0
        self.behind: list[str] = []
        self.has_ended = False

    async def reach(self, seconds: float, *, healed: float | None) -> None:
        """`healed`: the moment of `time.monotonic()` from which the seconds count. What everybody
        has by then is what counts, and is written down at once; what there is may take longer to
        read. None where nothing was hurt: then it counts when everything is read."""
        began = time.monotonic() if healed is None else healed
        ending = asyncio.create_task(self._end_at(began, seconds)) if healed is not None else None
        try:
            async with asyncio.timeout(SECONDS_TO_READ):
                await self._read_everything()
        except TimeoutError:
            read = len(self.truth)
            self.scene.history.see("campaign", "unreadable", read=read)
        while not self.has_ended and self._list_behind() and time.monotonic() < began + seconds:
            await asyncio.sleep(LOOK_EVERY)
            await self._read_lists(self._find_behind(InboxTab))
        self._end(began, is_healed=healed is not None)
        if ending is not None:
            ending.cancel()
        self.behind = [tab.who for tab in self._list_behind()]

    async def _end_at(self, began: float, seconds: float) -> None:
        await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
        self._end(began, is_healed=True)

    def _end(self, began: float, *, is_healed: bool) -> None:
        """Once. Nothing comes in between: it waits for nothing."""
        if self.has_ended:
            return
        self.seconds = time.monotonic() - began
        self.held = {tab: look_at(tab) for tab in self.tabs if not tab.person.has_gone}
        self.has_ended = True
        told = {"seconds": round(self.seconds, 3)} if is_healed else {}
        for tab, held in self.held.items():
            self._write_down(tab, held, told)

    async def _read_everything(self) -> None:
        """Everybody's list, and each conversation as one of the two of it."""
        gate = asyncio.Semaphore(AT_ONCE)
        conversations = enumerate(self.scene.conversations)
        works = [self._list(number, each, gate) for number, each in enumerate(self._people())]
        works += [self._pull(number, each, gate) for number, each in conversations]
        await asyncio.gather(*works)

    def _people(self) -> list[Person]:
        return [person for person in self.scene.people if not person.has_gone]

    async def _pull(self, number: int, conversation: Conversation, gate: asyncio.Semaphore) -> None:
        """From the one web process or the other, as often as it takes."""
        both = (conversation.buyer, conversation.seller)
        person, other = both if number % 2 else both[::-1]
        person, web = other if person.has_gone else person, number // 2
        async with gate:
            while True:
                room, session = Room(conversation.id), person.devices[0]
                web, who = web % len(self.scene.urls) + 1, f"{person.id}.0"
                answer = await pulling.pull(self.scene, who, person, room, session, web)
                if answer.done:
                    self.truth[conversation.id] = room
                if not answer.try_again:
                    return
                await asyncio.sleep(0.5)

    async def _list(self, number: int, person: Person, gate: asyncio.Semaphore) -> None:
        """What an open list has to show in the end."""
        web = 1 + number % len(self.scene.urls)
        async with gate:
            who, session = f"{person.id}.0", person.devices[0]
            answer = await pulling.list_conversations(self.scene, who, person, session, web)
        if answer.done:
            self.lists[person] = pulling.read_rows(answer.body)

    async def _read_lists(self, tabs: Sequence[Tab]) -> None:
        """Once more: what was asked for before may be older than what the tab shows."""
        gate = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(self._list(tab.number, tab.person, gate) for tab in tabs))

    def _list_behind(self) -> list[Tab]:
        return [tab for tab in self.tabs if self._is_behind(tab)]

    def _find_behind(self, kind: type[Tab]) -> list[Tab]:
        return [tab for tab in self._list_behind() if isinstance(tab, kind)]

    def _is_behind(self, tab: Tab) -> bool:
        if tab.person.has_gone or not isinstance(tab, InboxTab | RoomTab):
            return False
        held = self.held[tab] if tab in self.held else look_at(tab)
        if isinstance(tab, InboxTab):
            return not held.ready or held.rows != self.lists.get(tab.person)
        truth = self.truth.get(tab.conversation.id)
        return truth is None or not held.ready or held.messages != truth.list_held()

    def _write_down(self, tab: Tab, held: Held, told: dict[str, float]) -> None:
        value: dict[str, Any] = {**tab.about, "ready": held.ready, **told}
        if isinstance(tab, RoomTab):
            value["messages"] = [list(message) for message in held.messages]
            self.scene.history.see(tab.who, "final", **value)
        elif isinstance(tab, InboxTab):
            value |= {"unread": held.unread, "rows": held.rows}
            self.scene.history.see(tab.who, "final_inbox", **value)


def look_at(tab: Tab) -> Held:
    if isinstance(tab, RoomTab):
        return Held(tab.ready, messages=tab.room.list_held())
    if isinstance(tab, InboxTab):
        return Held(tab.ready, rows=list(tab.rows), unread=tab.unread)
    return Held(tab.ready)
