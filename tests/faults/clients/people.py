"""Who takes part in a campaign, what they talk about, and what they have sent."""

import asyncio
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

DEVICES = 2
RECENT_MESSAGES = 20


@dataclass(frozen=True)
class Session:
    """One device that is signed in. `number` counts a person's signings in: what has a number up to
    that of a log-out of all was signed out by it."""

    key: str
    number: int
    csrf_token: str
    person: int = 0  # Whose it is.

    @property
    def cookies(self) -> str:
        return f"sessionid={self.key}; csrftoken={self.csrf_token}"


SignIn = Callable[[int], Awaitable[str]]


@dataclass(eq=False)
class Person:
    """Several tabs on two devices. `id` is the public one."""

    id: int
    email: str
    name: str
    sign_in: SignIn  # Makes a session of this id; its key.
    random: Random
    devices: list[Session] = field(default_factory=list)
    conversations: list["Conversation"] = field(default_factory=list)
    is_in: asyncio.Event = field(default_factory=asyncio.Event)
    has_gone: bool = False  # For good.
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)
    sent: deque["Sent"] = field(default_factory=lambda: deque(maxlen=RECENT_MESSAGES))
    _counter: int = 0

    async def enter(self) -> None:
        """Sign in on every device. Raises what `sign_in` does."""
        number = self.devices[-1].number + 1 if self.devices else 1
        self.devices = [
            Session(
                key=await self.sign_in(self.id),
                number=number,
                csrf_token=f"{self.random.getrandbits(160):032x}"[:32],
                person=self.id,
            )
            for _ in range(DEVICES)
        ]
        self.is_in.set()

    def leave(self) -> None:
        """Nobody comes back before the next `enter`; the old sessions stay to be tried."""
        self.is_in.clear()

    def go(self) -> None:
        """Nobody comes back at all."""
        self.has_gone = True
        self.leave()

    def write(self, about: str, text: str) -> str:
        """A body that says whose it is and where it belongs."""
        self._counter += 1
        return f"{self.id} {self._counter} {about}|{text}"


@dataclass(eq=False)
class Conversation:
    """`id` is empty until its first message is stored."""

    listing: str
    buyer: Person
    seller: Person
    is_hot: bool = False
    id: str = ""

    def other(self, person: Person) -> Person:
        return self.seller if person is self.buyer else self.buyer


@dataclass(frozen=True)
class Sent:
    """A message of one's own that is stored."""

    conversation: Conversation
    sequence: int
    revision: int
    body: str


@dataclass
class Draft:
    """A message that is not known to be stored. Its key stays the same over every try."""

    conversation: Conversation
    key: str
    body: str
    starts: bool = False
    tries: int = 0
    is_stored: bool = False


def make_key(random: Random) -> str:
    return str(uuid.UUID(int=random.getrandbits(128), version=4))
