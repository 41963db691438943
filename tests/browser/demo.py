"""An afternoon at Sol's: conversations about the demo listings, for pictures of them.

`fill` runs in a process of the live marketplace (`Live.manage`) and prints who can be signed in as.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

HOUR = 60
DAY = 24 * HOUR
AFTERNOON = 16  # o'clock: nobody in the pictures writes at night.


@dataclass(frozen=True)
class Line:
    minutes_ago: int
    text: str
    by_seller: bool = False


@dataclass(frozen=True)
class Scene:
    buyer: str
    listing: str
    lines: tuple[Line, ...]
    read: bool = False  # by both, to the end


@dataclass(frozen=True)
class Filled:
    """Session keys of Sol and Ana, and the path of their thread."""

    sol: str
    ana: str
    thread: str


def ask(minutes_ago: int, text: str) -> Line:
    return Line(minutes_ago, text)


def answer(minutes_ago: int, text: str) -> Line:
    return Line(minutes_ago, text, by_seller=True)


SCENES = (
    Scene(
        "Ana Ríos",
        "Touring bike, 54 cm",
        (
            ask(DAY + 190, "Hello Sol, is the bike still available?"),
            answer(DAY + 172, "Hello Ana, it is. Somebody came on Sunday, but it was too big."),
            answer(DAY + 171, "How tall are you?"),
            ask(DAY + 40, "1.74, so the frame should be right. Are the tyres new?"),
            answer(
                DAY + 22,
                "Front one from May, rear one has a season left in it. I have a spare that goes "
                "with the bike.",
            ),
            ask(46, "That sounds good. Could I come and try it this week?"),
            answer(31, "Thursday after six, or Saturday morning. The cellar is on Carrer del Om."),
            ask(12, "Thursday at half past six, then."),
            ask(11, "Would you take 310 if I bring cash?"),
        ),
        read=True,
    ),
    Scene("Teo Vidal", "Writing desk, oak", (ask(5 * HOUR, "How wide is it without the top?"),)),
    Scene(
        "Mireia Soler",
        "Two blue chairs",
        (
            ask(2 * DAY, "Would you sell just one of the two?"),
            answer(2 * DAY - 50, "Only together, I am afraid."),
            ask(3 * HOUR, "Fine, I take both. Can you hold them until Friday?"),
            ask(3 * HOUR - 1, "I come by train, so I would need some string."),
        ),
    ),
    Scene(
        "Jonas Weber",
        "Film camera with 50 mm lens",
        (ask(95, "Does the light meter take a battery that one can still buy?"),),
    ),
    Scene(
        "Priya Nair",
        "Classical guitar",
        (
            ask(3 * DAY, "Is there a case with it?"),
            answer(3 * DAY - 30, "A soft one, yes."),
            ask(3 * DAY - 90, "Then I come on Saturday."),
            answer(2 * DAY + 200, "See you at eleven."),
        ),
        read=True,
    ),
    Scene(
        "Luca Bianchi",
        "Tent for two, 2.4 kg",
        (
            ask(DAY + 300, "Has it ever been repaired?"),
            answer(DAY + 260, "One pole, by the maker. I have the bill."),
        ),
        read=True,
    ),
    Scene(
        "Ana Ríos",
        "Desk lamp, brass",
        (
            ask(4 * HOUR, "Is the cable long enough for a high shelf?"),
            answer(72, "Two metres, with the switch in the middle."),
        ),
    ),
    Scene(
        "Ana Ríos",
        "Enamel kettle, red, 2 litres",
        (
            ask(4 * DAY, "Does it work on induction?"),
            answer(4 * DAY - 90, "It does, I have one myself."),
            ask(4 * DAY - 100, "Thank you, I will think about it."),
            answer(4 * DAY - 130, "Take your time."),
        ),
        read=True,
    ),
)


def fill() -> None:
    """Prints a `Filled` as JSON."""
    from accounts.models import User

    stage = Stage(datetime.now(UTC))
    lines = [(scene, line) for scene in SCENES for line in scene.lines]
    for scene, line in sorted(lines, key=lambda each: -each[1].minutes_ago):
        stage.say(scene, line)
    for scene in SCENES:
        stage.settle(scene)
    User.objects.update(time_zone=find_afternoon())
    thread = stage.conversations[SCENES[0]].get_absolute_url()
    filled = Filled(open_session(stage.person("Sol Marín")), open_session(stage.ana), thread)
    print(json.dumps(asdict(filled)))


class Stage:
    """Lets people say their lines when they are meant to have said them."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.conversations: dict[Scene, Any] = {}
        self.ana = self.person("Ana Ríos")

    def person(self, name: str) -> Any:
        from accounts.models import User

        found = User.objects.filter(display_name=name).first()
        return found or User.objects.create(
            email=f"{name.split(maxsplit=1)[0].lower()}@example.com", display_name=name
        )

    def say(self, scene: Scene, line: Line) -> None:
        import time_machine

        moment = self.now - timedelta(minutes=line.minutes_ago)
        with time_machine.travel(moment, tick=False):
            if scene in self.conversations:
                self.go_on(scene, line)
            else:
                self.start(scene, line)

    def start(self, scene: Scene, line: Line) -> None:
        from marketplace.listings.models import Listing
        from messaging.models import Conversation
        from messaging.services.conversations import start_conversation

        receipt = start_conversation(
            listing=Listing.objects.get(title=scene.listing),
            buyer=self.person(scene.buyer),
            body=line.text,
            client_message_id=uuid4(),
        )
        self.conversations[scene] = Conversation.objects.get(pk=receipt.conversation_id)

    def go_on(self, scene: Scene, line: Line) -> None:
        from messaging.tests.conversing import say

        conversation = self.conversations[scene]
        conversation.refresh_from_db()
        name = "Sol Marín" if line.by_seller else scene.buyer
        say(self.person(name), conversation, line.text, read_sequence=conversation.last_sequence)

    def settle(self, scene: Scene) -> None:
        if scene.read:
            self.mark_read(scene, "Sol Marín")
            self.mark_read(scene, scene.buyer)

    def mark_read(self, scene: Scene, name: str) -> None:
        from messaging.services.reading import mark_read

        mark_read(
            user_id=self.person(name).pk,
            conversation_id=self.conversations[scene].pk,
            sequence=len(scene.lines),
        )


def find_afternoon() -> str:
    """A time zone where it is afternoon now."""
    from accounts.time_zones import list_time_zones

    return next(
        name for name in list_time_zones() if datetime.now(ZoneInfo(name)).hour == AFTERNOON
    )


def open_session(user: Any) -> str:
    from django.test import Client

    client = Client()
    client.force_login(user)
    return str(client.session.session_key)
