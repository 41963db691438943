"""A source that keeps its conversations in memory and answers like a real one."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from notifications.sources import Content, ContentMessage, Due, Owed, Span, State, Subject


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

    def settle(self, dues: Mapping[Due, datetime | None]) -> None:
        for due, look_again_at in dues.items():
            thread = self.thread(due.recipient_id, due.key)
            if thread.notify_at == due.token:
                thread.notify_at = look_again_at

    def look(self, spans: Sequence[Span]) -> list[Owed]:
        return [self._look(span) for span in spans]

    def _look(self, span: Span) -> Owed:
        self.on_look()
        thread = self.thread(span.recipient_id, span.key)
        state: State = "read" if thread.read >= span.last_sequence else thread.state
        return Owed(state, thread.connected, last_sequence=len(thread.bodies))

    def subjects(self, spans: Sequence[Span]) -> list[Subject]:
        return [Subject(self.title, f"/conversation/{span.key}/") for span in spans]

    def find_waiting(self, pairs: Collection[tuple[Any, str]]) -> set[tuple[Any, str]]:
        threads = {pair: self.thread(*pair) for pair in pairs}
        return {
            pair
            for pair, thread in threads.items()
            if thread.connected and thread.state == "owed" and thread.read < len(thread.bodies)
        }

    def content(self, span: Span) -> Content:
        thread = self.thread(span.recipient_id, span.key)
        shown = range(max(span.first_sequence, thread.read + 1), span.last_sequence + 1)
        messages = [
            ContentMessage(self.other_name, thread.bodies[n - 1], timezone.now(), False, True)
            for n in shown
        ]
        return Content(
            title=self.title,
            url=f"/conversation/{span.key}/",
            thumbnail_url=self.thumbnail_url,
            other_name=self.other_name,
            messages=messages[:10],
            more_count=len(messages[10:]),
        )
