"""Which operation dies where, and whether it is committed by then."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.faults.dying import operations as messages
from tests.faults.dying import other_operations as others
from tests.faults.dying.copies import AsksForCopy
from tests.services.places import PROJECT

MARK = re.compile(r'failpoints\.reach\("([a-z_.]+)"\)')
APPS = ("marketplace", "messaging", "notifications")


@dataclass(frozen=True)
class Row:
    place: str
    operation: type[messages.Operation]
    stored: bool = True  # By the time it dies there.
    after: int = 1


# From the commit to the other processes; the same for all that is published from a thread.
PUBLISHING = (
    *("publisher.committed", "publisher.handed_over", "hub.publishing", "hub.delivered"),
    *("bus.sending", "bus.sent"),
)
ANSWERING = ("connection.answering", "connection.answered")


def rows_of(operation: type[messages.Operation], *places: str) -> list[Row]:
    return [Row(place, operation) for place in places]


ROWS = [
    # A worker finds what another one has left; the mail leaves.
    Row("source.claimed", others.Notifies, stored=False),
    *rows_of(others.Notifies, "notify.written", "notify.settled"),
    *rows_of(others.Notifies, "hand_over.committed", "tasks.waking", "tasks.woken", "tasks.swept"),
    *rows_of(others.Notifies, "deliver.claimed", "deliver.composed", "email.sending"),
    *rows_of(others.NotifiesTwice, "email.sent", "deliver.marking"),
    *rows_of(others.Notifies, "deliver.marked", "tasks.delivered"),
    # Before the commit, to see that what is checked can fail.
    Row("record.storing", messages.SocketSends, stored=False),
    *rows_of(messages.SocketSends, "record.stored", "journal.committed", "journal.answered"),
    *rows_of(messages.SocketSends, *ANSWERING, *PUBLISHING[2:]),
    Row("record.stored", messages.SocketSends, after=2),
    Row("journal.answered", messages.SocketSends, after=2),
    Row("connection.answered", messages.SocketSends, after=2),
    *rows_of(messages.PageSends, "messages.committed", "http.answering", *PUBLISHING),
    *rows_of(messages.PageSends, "record.stored"),
    Row("record.storing", messages.PageSends, stored=False),
    *rows_of(messages.Starts, "conversations.committed", "http.answering", *PUBLISHING),
    # Its transaction is a larger one, which is still open there.
    Row("record.stored", messages.Starts, stored=False),
    *rows_of(messages.Edits, "changes.committed", "http.answering", *PUBLISHING),
    *rows_of(messages.Deletions, "changes.committed", *ANSWERING, *PUBLISHING),
    *rows_of(others.Reads, "reading.committed", "http.answering", *PUBLISHING),
    *rows_of(others.Archives, "flags.committed", "http.answering", *PUBLISHING),
    *rows_of(others.Blocks, "blocks.blocked", "http.answering", *PUBLISHING),
    *rows_of(others.Unblocks, "blocks.unblocked", "http.answering", *PUBLISHING),
    *rows_of(others.Leaves, "participants.committed", "http.answering", *PUBLISHING),
    *rows_of(others.SessionEnds, *PUBLISHING),
    Row("privacy.committed", AsksForCopy),
]

# What is called after a commit (`on_commit`), by module and function: the mark at which it may die
# before that, or why there is none.
AFTER_COMMIT = {
    "messaging/services/sessions.py check_sessions": "publisher.committed",
    "messaging/services/messages.py publish_on_commit": "publisher.committed",
    "marketplace/privacy/tasks.py wake_on_commit": "privacy.committed",
    "messaging/services/record.py record": "It counts, for this process, which ends with it.",
    "marketplace/listings/receivers.py delete_files_of_photo": "A file stays that no page names.",
    "accounts/models.py _write": "The person as this process knows them, which ends with it.",
    # May not import `notifications`, where marks are made.
    "accounts/admin.py end_all_sessions": "It comes before the answer, so whoever asked knows that"
    " it is not done; it ends all there are, so the second time is as good as the first.",
}


def first_rows() -> list[Row]:
    """One for each place, the controls among them."""
    found: dict[tuple[str, bool], Row] = {}
    for row in ROWS:
        found.setdefault((row.place, row.stored), row)
    return list(found.values())


def find_marked() -> Iterator[str]:
    """Every place that the code marks."""
    for app in APPS:
        for module in sorted((PROJECT / app).rglob("*.py")):
            if "tests" not in module.parts:
                yield from MARK.findall(module.read_text())
