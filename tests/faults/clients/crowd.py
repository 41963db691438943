"""Everybody of a campaign at once, in a thread and an event loop of their own: whoever starts and
stops processes meanwhile keeps nobody waiting."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Coroutine, Sequence
from random import Random
from typing import Any, TypeVar

from tests.faults.clients import passing, world
from tests.faults.clients.actors import Actor
from tests.faults.clients.callers import CallerTab
from tests.faults.clients.convergence import Convergence
from tests.faults.clients.doors import Doors
from tests.faults.clients.endings import sign_in
from tests.faults.clients.looking import Looking
from tests.faults.clients.operations import MOST_AT_ONCE, SURE, WEIGHTS, Operation, send
from tests.faults.clients.outbox import Outbox
from tests.faults.clients.people import Conversation, Person, SignIn
from tests.faults.clients.scene import Scene
from tests.faults.clients.tabs import InboxTab, RoomTab, Tab
from tests.faults.history import History

T = TypeVar("T")

OPENING_AT_ONCE = 8
SECONDS_TO_OPEN = 120
SECONDS_TO_WIND_DOWN = 30
# Nobody waits longer for a busy machine: a campaign has to go on.
LONGEST_PATIENCE = 6.0


class Crowd:
    """`rate`: acknowledged messages a second that are aimed at. Raises what went wrong in a tab,
    at the next call."""

    def __init__(self, history: History, urls: list[str], *, seed: str, rate: float) -> None:
        self.history, self.urls, self.seed, self.rate = history, urls, seed, rate
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="crowd", daemon=True)
        self.scene: Scene
        self.looking: Looking
        self.actors: list[Actor] = []
        self.stays = 0
        self.sure: dict[Actor, Operation] = {}
        self.acting: list[asyncio.Task[None]] = []
        self.connected: list[asyncio.Task[None]] = []

    # --- From the main thread -------------------------------------------------------------------

    def start(
        self,
        people: Sequence[world.CastPerson],
        listings: Sequence[world.CastListing],
        sign_in: SignIn,
        *,
        conversations: int = world.CONVERSATIONS,
        passing_through: int = 0,
    ) -> None:
        """Returns when everybody is signed in and every conversation has begun. The last of the
        people, so many as are `passing_through`, are there for `end_accounts`."""
        self.thread.start()
        self.stays = len(people) - passing_through
        self._do(self._open(people, listings, sign_in, conversations), SECONDS_TO_OPEN)

    def end_accounts(self, change: passing.ChangeAccount, seconds: float) -> None:
        """Of every second one that is passing through, within so many seconds from now."""

        async def begin() -> None:
            pairs = passing.pair_up(self.scene.people[self.stays :])
            at_tabs = {actor.person: actor for actor in reversed(self.actors)}
            buyers = [at_tabs[buyer] for _, buyer in pairs]
            work = passing.end_accounts(buyers, change, seconds)
            self.acting.append(self.loop.create_task(work))

        self._do(begin(), 5)

    def wait_until_here(self, seconds: float) -> None:
        """Until every tab has its socket, or so many seconds."""
        deadline = time.monotonic() + seconds
        tabs = [actor.tab for actor in self.actors if not isinstance(actor.tab, CallerTab)]
        while time.monotonic() < deadline and not all(tab.has_opened for tab in tabs):
            time.sleep(0.1)

    def double(self, share: float) -> None:
        """The share of posts that are sent several times (nemesis 14)."""
        self.scene.doubled = share

    def check(self) -> None:
        """Raises what ended a tab: a mistake of the campaign's, never of the product's."""
        self.scene.check()
        for task in [*self.acting, *self.connected]:
            if task.done() and not task.cancelled():
                task.result()

    def converge(self, seconds: float, *, healed: float | None = None) -> Convergence:
        """Brings to its end what was begun, then waits until every tab has everything: for so many
        seconds since `healed`, a moment of `time.monotonic()`, or where nothing was healed since
        the last operation."""
        wait = SECONDS_TO_WIND_DOWN + seconds + 120
        convergence = self._do(self._converge(seconds, healed), wait)
        self.check()
        return convergence

    def leave(self) -> None:
        """Everybody closes what they have open."""
        self._do(self._leave(), 30)

    def stop(self) -> None:
        self._do(self._close(), 30)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    def _do(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    # --- In the crowd's own thread --------------------------------------------------------------

    async def _open(
        self,
        people: Sequence[world.CastPerson],
        listings: Sequence[world.CastListing],
        sign_in_one: SignIn,
        conversations: int,
    ) -> None:
        self.scene = Scene(self.history, self.urls, self.seed, Doors(self.urls))
        world.meet_people(self.scene, people, sign_in_one)
        planned = world.plan_conversations(
            self.scene,
            listings,
            count=conversations,
            passing_through=len(people) - self.stays,
        )
        self.looking = Looking(self.scene)
        self.scene.doors.look = self.looking.look
        await gather([sign_in(self.scene, each) for each in self.scene.people], at_once=4)
        await gather([self._begin(each) for each in planned], at_once=OPENING_AT_ONCE)
        self._seat_everybody()
        share = WEIGHTS[send] / sum(WEIGHTS.values()) * (1 + MOST_AT_ONCE) / 2
        self.scene.pause = len(self.actors) * share / self.rate
        self._plan_sure_ones()
        self.connected = [
            self.loop.create_task(actor.tab.stay_connected())
            for actor in self.actors
            if not isinstance(actor.tab, CallerTab)
        ]
        self.acting = [self.loop.create_task(self._act(actor)) for actor in self.actors]

    def _plan_sure_ones(self) -> None:
        """To tabs of people who stay and who could leave a conversation; no two to one person."""
        staying = set(self.scene.people[: self.stays])
        asking = {each.buyer for each in self.scene.conversations if not each.is_hot} & staying
        tabs = {actor.person: actor for actor in self.actors if actor.person in asking}
        chosen = Random(f"{self.seed} sure").sample(
            list(tabs.values()), k=min(len(SURE), len(tabs))
        )
        self.sure = dict(zip(chosen, SURE, strict=False))

    async def _begin(self, conversation: Conversation) -> None:
        """Before any fault: it is tried until it is done."""
        tab = CallerTab(self.scene, conversation.buyer, 0)
        actor = Actor(self.scene, tab, Outbox(self.scene, tab))
        random = Random(f"{self.seed} {conversation.listing} {conversation.buyer.id}")
        draft = actor.write(conversation, random, starts=True)
        await actor.outbox.send([draft], random)
        while actor.outbox.unsent:
            await asyncio.sleep(0.5)
            await actor.outbox.send_again(random)
        if not conversation.id:
            raise RuntimeError(f"A conversation about {conversation.listing} could not begin.")

    def _seat_everybody(self) -> None:
        numbers: dict[Person, int] = {}

        def seat(person: Person, conversation: Conversation | None, kind: type[Tab]) -> None:
            number = numbers[person] = numbers.get(person, 0) + 1
            tab = (
                RoomTab(self.scene, person, number, conversation)
                if conversation
                else kind(self.scene, person, number)
            )
            self.actors.append(Actor(self.scene, tab, Outbox(self.scene, tab)))

        busy = set[Person]()
        for hot in (each for each in self.scene.conversations if each.is_hot):
            busy |= {hot.buyer, hot.seller}
            for turn in range(world.TABS_IN_A_HOT_ONE):
                seat([hot.buyer, hot.seller][turn % 2], hot, RoomTab)
        for position, person in enumerate(self.scene.people):
            if world.has_inbox(position):
                seat(person, None, InboxTab)
            if person in busy:
                continue
            if world.is_caller(position) and position < self.stays:
                seat(person, None, CallerTab)
                continue
            for turn in range(world.TABS_OF_A_PERSON):
                own = person.conversations
                seat(person, own[turn % len(own)], RoomTab)

    async def _act(self, actor: Actor) -> None:
        """One operation after the other, each with a Random of its own, until the end begins."""
        turn, took = 0, 0.0
        while not (actor.tab.has_opened or isinstance(actor.tab, CallerTab)):
            await asyncio.sleep(0.1)  # A page that is still being opened.
        while not (self.scene.winding_down and not actor.outbox.unsent):
            turn += 1
            random = Random(f"{self.seed} {actor.tab.who} {turn}")
            await self._rest(random, took)
            while not actor.person.is_in.is_set():
                if actor.person.has_gone:
                    return
                await asyncio.sleep(0.1)
            began = time.monotonic()
            if actor.outbox.unsent and not await actor.outbox.send_again(random):
                continue
            if not self.scene.winding_down:
                await self._choose(actor, random)(actor, random)
            took = time.monotonic() - began

    def _choose(self, actor: Actor, random: Random) -> Operation:
        drawn = random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        return self.sure.pop(actor, drawn)

    async def _rest(self, random: Random, took: float) -> None:
        """Whoever was served slowly asks more slowly: more than the machine can carry would only
        measure how long it queues."""
        drawn = random.expovariate(1 / self.scene.pause)
        if self.scene.winding_down:
            await asyncio.sleep(min(drawn, 1.0))
        else:
            patience = min(took * self.scene.patience, LONGEST_PATIENCE)
            await self.scene.rest(max(drawn, patience))

    async def _converge(self, seconds: float, healed: float | None) -> Convergence:
        self.scene.winding_down = True
        try:
            async with asyncio.timeout(SECONDS_TO_WIND_DOWN):
                await asyncio.gather(*self.acting)
                await self.scene.finish_side_work()
        except TimeoutError:
            left = (actor.outbox.unsent for actor in self.actors if not actor.person.has_gone)
            unsent = sum(len(drafts) for drafts in left)
            self.history.see("campaign", "late", unsent=unsent)
        tabs = [actor.tab for actor in self.actors]
        convergence = Convergence(self.scene, tabs)
        await convergence.reach(seconds, healed=healed)
        return convergence

    async def _leave(self) -> None:
        """As pages that are closed do; written down like any other end of a socket."""
        self.looking.tell()
        for actor in self.actors:
            actor.tab.is_here.clear()
        await asyncio.gather(*(actor.tab.disconnect(cleanly=True) for actor in self.actors))

    async def _close(self) -> None:
        tasks = [*self.acting, *self.connected]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.scene.doors.close()


async def gather(works: Sequence[Awaitable[None]], *, at_once: int) -> None:
    gate = asyncio.Semaphore(at_once)

    async def pass_through(work: Awaitable[None]) -> None:
        async with gate:
            await work

    await asyncio.gather(*(pass_through(work) for work in works))
