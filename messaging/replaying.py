"""Which type each change of a replay comes as: a message that is new to the client once, as
`chat_message`, in its latest state; every later change of it as `message_changed`."""

from messaging.events import MessageRecord
from messaging.selectors.messages import Changes


class Replay:
    """One replay from a revision, however many pages it takes. Ask page by page.

    Edits go on between the pages. A message that has been handed over may come again with a later
    revision; one that was edited before its page was read is not in it and comes for the first
    time later. So the revisions that were missing from the pages are remembered: they are few,
    since each belongs to a message that has changed since.
    """

    def __init__(self, after: int) -> None:
        self._cursor = after
        self._missing: set[int] = set()

    def take(self, changes: Changes) -> list[tuple[MessageRecord, bool]]:
        """The page's messages, each with whether it is new to the client."""
        found = [(message, self._is_new(message)) for message in changes.messages]
        there = {message.revision for message in changes.messages}
        there |= {message.created_revision for message, new in found if new}
        self._missing -= there
        self._missing |= set(range(self._cursor + 1, changes.cursor + 1)) - there
        self._cursor = max(self._cursor, changes.cursor)
        return found

    def _is_new(self, message: MessageRecord) -> bool:
        return message.created_revision > self._cursor or message.created_revision in self._missing
