"""What tabs hold and what pages answer anew, each compared with the model."""

from typing import Any

from tests.model.expected import Thread
from tests.model.tabs import Frame, InboxTab, RoomTab
from tests.model.world import World

Reads = dict[int, int]


class Pages:
    """What the pages of two people answer anew. They are asked again whenever a row in the tables
    is another than when they were asked last, or the model says something else; the thread by the
    two in turns."""

    def __init__(self, world: World, thread: Thread) -> None:
        self._world, self._thread = world, thread
        self._reader = 0
        self._rows: list[Any] = []
        self._expected: list[Any] = []

    def compare(self) -> None:
        rows = self._world.read_rows()
        shown = [self._thread.row(person) for person in (0, 1)]
        expected = [shown, self._thread.held(), self._thread.head, repr(self._thread.places)]
        if (rows, expected) != (self._rows, self._expected):
            self._reader = 1 - self._reader
            compare_thread(self._world, self._thread, self._reader)
            for person in (0, 1):
                compare_row(self._world, self._thread, person)
            self._rows, self._expected = rows, expected


def compare_thread(world: World, thread: Thread, person: int) -> None:
    """The thread, a fresh snapshot."""
    page = world.ask_thread(person)
    found = {m["sequence"]: (m["revision"], m["message"], m["deleted"]) for m in page["results"]}
    assert found == thread.held()
    compare_senders(page["results"], world, thread, person)
    shown = page["revision"], page["last_sequence"], page["read_sequence"]
    assert shown == (thread.head, thread.last, thread.places[person].read)


def compare_senders(found: list[Frame], world: World, thread: Thread, person: int) -> None:
    """Who said it; and what its client called it, which is told to nobody else."""
    for message in found:
        said = thread.said[message["sequence"] - 1]
        assert message["sender"]["id"] == world.people[said.author].pk
        own = str(said.key) if said.author == person else None
        assert message.get("client_message_id") == own


def compare_row(world: World, thread: Thread, person: int) -> None:
    """The line of the inbox, in the one list where it belongs."""
    rows = world.ask_rows(person, archived=thread.places[person].archived)
    assert len(rows) == 1, rows
    last = rows[0]["last_message"]
    row = {**rows[0], "last_message": (last["message"], last["created_at"])}
    expected = thread.row(person)
    assert {name: row[name] for name in expected} == expected


def compare_replay(found: list[Frame], thread: Thread, after: int, *, typed: bool = False) -> None:
    """Every change since once, in their order, however many pages it takes."""
    names = ("type", "revision", "sequence", "message", "deleted")
    shown = [tuple(frame[name] for name in names) for frame in found]
    # Over HTTP the type is relative to each page's own `after`.
    first = 0 if typed else 1
    expected = [row[first:] for row in thread.changes_after(after)]
    assert [row[first:] for row in shown] == expected, (shown, expected)


def compare_ready(frame: Frame, thread: Thread, person: int) -> None:
    assert frame["type"] == "ready", frame
    shown = frame["revision"], frame["last_sequence"], frame["read_sequence"]
    assert shown == (thread.head, thread.last, thread.places[person].read), frame


def compare_list(tab: InboxTab, thread: Thread) -> None:
    """Whoever was told fetches; whoever was not must have the line as it is now."""
    tab.take_frames()
    row, unread = thread.row(tab.person), thread.unread(tab.person)
    if tab.told:
        tab.row, tab.told, tab.must_be_fresh = row, False, True
    if tab.must_be_fresh:
        assert tab.row == row, ("nobody told this list", tab.row, row)
    if tab.unread is not None:
        assert tab.unread == int(unread > 0 and not thread.places[tab.person].archived)
        tab.unread = None


def compare_room(tab: RoomTab, thread: Thread, reads: Reads) -> None:
    tab.take_frames()
    for frame in tab.ready:
        compare_ready(frame, thread, tab.person)
        assert {m["id"]: m["read_sequence"] for m in frame["participants"]} == reads, frame
    assert set(tab.heads) <= {thread.head}, (tab.heads, thread.head)
    tab.ready, tab.heads = [], []
    assert tab.position <= thread.head, (tab.position, thread.head)
    # No frame says that it has reached a change which one of its own has replaced since.
    assert tab.held == thread.held_at(max(tab.position, tab.must_reach), tab.acked)
    for user, position in reads.items():
        shown = tab.reads.get(user, 0)
        assert tab.must_read.get(user, 0) <= shown <= position, (user, shown, position)
