"""When anything may last have changed in a conversation, so that what was told after it can be
compared with the final state."""

from typing import Any

from tests.faults.checker.reading import Operation

# A request that was not answered, or a frame that nothing answers, has its effect by then.
SOCKET_SECONDS = 5.0
UNANSWERED_SECONDS = 60.0
NO_ANSWER_EXPECTED = "nothing answers it"


def settle_time(operation: Operation) -> float:
    """The moment by which an attempt has had its effect; 0 when it has none."""
    if operation.state == "fail":
        return 0.0
    if operation.state == "ok":
        return operation.ended
    began = min(operation.ended, operation.began + UNANSWERED_SECONDS)
    is_frame = operation.answer.get("why") == NO_ANSWER_EXPECTED
    return began + (SOCKET_SECONDS if is_frame else UNANSWERED_SECONDS)


class Touches:
    def __init__(self) -> None:
        self.conversations: dict[str, float] = {}
        self.reads: dict[tuple[int, str], float] = {}

    def _touch(self, operation: Operation) -> None:
        key: Any = operation.asked.get("conversation") or operation.answer.get("conversation")
        if key:
            at = settle_time(operation)
            self.conversations[key] = max(self.conversations.get(key, 0.0), at)

    ended_send = ended_start = ended_edit = ended_delete = ended_leave = _touch
    ended_take_out = ended_put_in = _touch
    ended_archive = ended_star = ended_mute = _touch

    def ended_read(self, operation: Operation) -> None:
        self._touch(operation)
        place = (operation.asked["person"], operation.asked["conversation"])
        self.reads[place] = max(self.reads.get(place, 0.0), settle_time(operation))
