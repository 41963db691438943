"""A source that keeps its conversations in memory and answers like a real one."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from notifications.sources import Content, ContentMessage, Due, Owed, State


@dataclass
class Thread:
    """What one person has in one conversation; `bodies` are the other's messages, 1 … n."""

    recipient_id: Any
    bodies: list[str] = field(default_factory=list)
    read: int = 0
    state: State = "owed"
    connected: bool = False
    notify_at: datetime | None = None


class FakeSource:
    name = "fake"

    def __init__(self) -> None:
        self.threads: dict[tuple[Any, str], Thread] = {}
        self.on_look: Callable[[], None] = lambda: None
        self.title = "Touring bike, 54 cm"
        self.other_name = "Ana Ríos"
        self.thumbnail_url = "/media/bike-small.webp"

    def thread(self, recipient_id: Any, key: str = "c1") -> Thread:
        return self.threads.setdefault((recipient_id, key), Thread(recipient_id))

    def say(self, recipient_id: Any, body: str = "Is it still available?", key: str = "c1") -> Due:
        """A message for somebody, due at once. Answers what `claim_due` will."""
        thread = self.thread(recipient_id, key)
        thread.bodies.append(body)
        thread.notify_at = timezone.now()
        return self._due(key, thread)

    def _due(self, key: str, thread: Thread) -> Due:
        return Due(
            recipient_id=thread.recipient_id,
            key=key,
            kind="new_message",
            token=thread.notify_at,
            first_sequence=thread.read + 1,
            last_sequence=len(thread.bodies),
        )

    def claim_due(self, *, now: datetime, limit: int) -> list[Due]:
        found = [
            (key, thread)
            for (_recipient, key), thread in self.threads.items()
            if thread.notify_at is not None and thread.notify_at <= now
        ][:limit]
        return [self._due(key, thread) for key, thread in found]

    def settle(self, due: Due, *, look_again_at: datetime | None) -> None:
        thread = self.thread(due.recipient_id, due.key)
        if thread.notify_at == due.token:
            thread.notify_at = look_again_at

    def look(self, *, recipient_id: Any, key: str, first_sequence: int, last_sequence: int) -> Owed:
        self.on_look()
        thread = self.thread(recipient_id, key)
        state: State = "read" if thread.read >= last_sequence else thread.state
        return Owed(state, thread.connected, last_sequence=len(thread.bodies))

    def find_waiting(self, pairs: Collection[tuple[Any, str]]) -> set[tuple[Any, str]]:
        threads = {pair: self.thread(*pair) for pair in pairs}
        return {
            pair
            for pair, thread in threads.items()
            if thread.connected and thread.state == "owed" and thread.read < len(thread.bodies)
        }

    def content(
        self, *, recipient_id: Any, key: str, first_sequence: int, last_sequence: int
    ) -> Content:
        thread = self.thread(recipient_id, key)
        shown = range(max(first_sequence, thread.read + 1), last_sequence + 1)
        messages = [
            ContentMessage(self.other_name, thread.bodies[n - 1], timezone.now(), False, True)
            for n in shown
        ]
        return Content(
            title=self.title,
            url=f"/conversation/{key}/",
            thumbnail_url=self.thumbnail_url,
            other_name=self.other_name,
            messages=messages[:10],
            more_count=len(messages[10:]),
        )
