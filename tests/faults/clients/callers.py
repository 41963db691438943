"""Somebody without a socket: asks over HTTP now and then, and is told by mail."""

from tests.faults.clients import pulling
from tests.faults.clients.people import Conversation, Person
from tests.faults.clients.rooms import Room
from tests.faults.clients.scene import Scene
from tests.faults.clients.tabs import Tab


class CallerTab(Tab):
    """It keeps what it was answered about every conversation."""

    def __init__(self, scene: Scene, person: Person, number: int) -> None:
        super().__init__(scene, person, number)
        self.rooms: dict[str, Room] = {}

    async def ask_why(self) -> None:
        """There is no socket whose end could be asked about."""

    async def look_into(self, conversation: Conversation, web: int) -> int:
        """The latest message that there is; 0 when nobody says."""
        room = self.rooms.setdefault(conversation.id, Room(conversation.id))
        answer = await pulling.pull(self.scene, self.who, self.person, room, self.session(), web)
        held = room.list_held() if answer.done else []
        return held[-1].sequence if held else 0
