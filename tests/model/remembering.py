"""One conversation as its answers tell it: which message each answer to a frame must speak of."""

import json
from typing import Any
from uuid import UUID

from tests.model import answers, bodies

Frame = dict[str, Any]


class Memory:
    """What has been stored in the conversation `here` since it had `last` messages. A pretended
    database stores nothing (`keeps`)."""

    def __init__(self, here: str, last: int, *, keeps: bool) -> None:
        self._here, self._last, self._keeps = UUID(here), last, keeps
        self._stored: dict[UUID, tuple[str, Frame]] = {}

    def check(self, text: str, answer: Frame, *, in_room: bool) -> str:
        """Of a message or a change that nothing is wrong with: ack or refusal, and of what.
        Gives what was judged, for counting. Raises AssertionError."""
        if "ack" not in answers.expect(text, in_room=in_room):
            return ""
        frame = json.loads(text)
        self._compare_echo(frame, answer)
        if not in_room and UUID(frame["conversation"]) != self._here:
            assert answer.get("code") == "not_found", (text[:300], answer)
            return "to no conversation"
        if frame.get("type", "chat_message") != "chat_message":
            return "change"
        return self._check_message(frame, answer)

    def _compare_echo(self, frame: Frame, answer: Frame) -> None:
        """The client's id comes back as it was written."""
        given = frame.get("client_message_id")
        if answers.is_uuid(given):
            assert answer["client_message_id"] == given, (given, answer)
        if answer["type"] == "ack":
            assert UUID(answer["conversation"]) == self._here, answer
            assert answer["sequence"] >= 1, answer
            assert answer["revision"] >= answer["sequence"] or not self._keeps, answer

    def _check_message(self, frame: Frame, answer: Frame) -> str:
        body, given = bodies.normalise(frame["message"]), frame.get("client_message_id")
        earlier = self._stored.get(UUID(given)) if given else None
        if earlier is None:
            assert answer["type"] == "ack", answer
            assert answer["duplicate"] is False, answer
            self._remember(UUID(answer["client_message_id"]), body, answer)
            return "message"
        said, receipt = earlier
        if body != said:
            assert answer.get("code") == "conflict", (said, body, answer)
            return "conflict"
        assert answer["type"] == "ack", answer
        assert answer["duplicate"] is True, answer
        for name in ("sequence", "revision", "id", "created_at"):
            assert answer[name] == receipt[name], (answer, receipt)
        return "retry"

    def _remember(self, key: UUID, body: str, answer: Frame) -> None:
        if self._keeps:
            self._last += 1
            assert answer["sequence"] == self._last, (answer, self._last)
            self._stored[key] = body, answer
