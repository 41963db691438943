"""By when a change of a conversation was there, as anybody was told of it or of a later one."""

from bisect import bisect_left
from typing import Any

from tests.faults.checker.reading import Operation, Seen


class Sightings:
    def __init__(self) -> None:
        # By conversation: revisions, each higher than those before it, and when they were told.
        self._told: dict[str, tuple[list[int], list[float]]] = {}

    def by(self, conversation: str, revision: int) -> float | None:
        """The first moment at which somebody knew of this revision or of a later one."""
        revisions, moments = self._told.get(conversation, ([], []))
        position = bisect_left(revisions, revision)
        return moments[position] if position < len(moments) else None

    def _see(self, conversation: Any, revision: Any, at: float) -> None:
        if not conversation or revision is None:
            return
        revisions, moments = self._told.setdefault(conversation, ([], []))
        if not revisions or revision > revisions[-1]:
            revisions.append(revision)
            moments.append(at)

    def saw_frame(self, seen: Seen) -> None:
        self._see(seen.value.get("conversation"), seen.value.get("revision"), seen.at)

    def ended_send(self, operation: Operation) -> None:
        if operation.state == "ok":
            answer = operation.answer
            key = operation.asked.get("conversation") or answer.get("conversation")
            self._see(key, answer.get("revision"), operation.ended)

    ended_start = ended_edit = ended_delete = ended_connect = ended_send

    def ended_pull(self, operation: Operation) -> None:
        rows = operation.answer.get("messages") or () if operation.state == "ok" else ()
        revision = max((row[1] for row in rows), default=None)
        self._see(operation.asked["conversation"], revision, operation.ended)
