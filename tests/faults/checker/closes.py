"""How connections ended: with which code, when, and whose they were."""

from dataclasses import dataclass
from typing import Any

from tests.faults.checker.reading import Operation, Seen
from tests.faults.checker.standing import Standing

SESSION_ENDED, NO_LONGER_PARTICIPANT = 4501, 4503
# Nobody is told of it later than so long after it.
TOLD_WITHIN = 60.0


@dataclass(slots=True)
class Close:
    """`own`: whether its person ended it, None where that is not told; `web`: the process at its
    other end, None likewise. A session that nobody told may be any of its person's."""

    who: str
    person: int
    conversation: str
    session: int
    web: int | None
    was_ready: bool
    began: float
    at: float
    code: int
    own: bool | None


class Closes:
    """`is_told`: whether this history says who ended its connections."""

    def __init__(self) -> None:
        self.all: list[Close] = []
        self.is_told = False
        self._open: dict[int, Operation] = {}
        self._by_connection: dict[int, Close] = {}

    def find(self, connection: int) -> Close | None:
        return self._by_connection.get(connection)

    def began_connect(self, operation: Operation) -> None:
        self._open[operation.number] = operation

    def ended_connect(self, operation: Operation) -> None:
        if operation.state == "fail":
            self._open.pop(operation.number, None)

    def saw_close(self, seen: Seen) -> None:
        value = seen.value
        number, own = value.get("connection", 0), value.get("own")
        connect = self._open.pop(number, None)
        about: dict[str, Any] = {**value, **(connect.asked if connect else {})}
        close = Close(
            who=seen.who,
            person=value.get("person", 0),
            conversation=about.get("conversation") or "",
            session=about.get("session", 0),
            web=about.get("web"),
            was_ready=connect is None or connect.state == "ok",
            began=connect.began if connect else seen.at,
            at=seen.at,
            code=int(value.get("code") or 0),
            own=own,
        )
        self.is_told = self.is_told or own is not None
        self.all.append(close)
        if number:
            self._by_connection[number] = close

    def count_beside(self, close: Close, seconds: float) -> int:
        """How many connections its person had to the same process in the seconds before, itself
        included; those that ended meanwhile may still have been open there."""
        ended = [
            each.began
            for each in self.all
            if each.person == close.person
            and each.web == close.web
            and each.began <= close.at <= each.at + seconds
        ]
        still = [
            each
            for each in self._open.values()
            if each.asked["person"] == close.person
            and each.asked.get("web") == close.web
            and each.began <= close.at
        ]
        return len(ended) + len(still)


def is_own_end(standing: Standing, close: Close) -> bool:
    """Whether it ended because its person's right to it had, as far as anybody can know."""
    if close.code == SESSION_ENDED:
        return standing.may_have_ended(close.person, close.session, close.at)
    if close.code == NO_LONGER_PARTICIPANT:
        since = max(close.began, close.at - TOLD_WITHIN)
        key = close.conversation
        return bool(key) and standing.may_have_left(close.person, key, since, close.at)
    return False
