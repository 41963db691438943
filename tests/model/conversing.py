"""Two people, two tabs each and a list each, against one model, step by step.

After every step what each tab holds equals the model up to where that tab must be by now, and what
the pages answer anew equals the model.
"""

from typing import Any
from uuid import UUID, uuid5

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.model.comparing import Pages, compare_list, compare_room
from tests.model.expected import BODIES
from tests.model.happening import Happening
from tests.model.tabs import InboxTab, RoomTab
from tests.model.weather import FATES, TELLS_ROOMS

KEYS = [uuid5(UUID(int=0), str(number)) for number in range(12)]

PEOPLE = st.integers(0, 1)
PROCESSES = st.integers(0, 1)
BODY = st.sampled_from(BODIES)
KEY = st.sampled_from(KEYS)
SEQUENCES = st.integers(0, 8)
WEATHER = st.sampled_from(FATES)
DOORS = st.sampled_from(["room", "room", "inbox", "page"])
ANYWHERE: dict[str, Any] = {"person": PEOPLE, "process": PROCESSES, "door": DOORS, "fate": WEATHER}
SAYING = {
    **ANYWHERE,
    "key": KEY,
    "body": BODY,
    "read": st.none() | SEQUENCES,
    "cut": st.sampled_from([False, False, False, True]),
}
CHANGING = {**ANYWHERE, "sequence": st.integers(1, 5), "body": st.none() | BODY}


class Conversing(Happening):
    """The rules: what may happen at each step."""

    @initialize(body=BODY)
    def meet(self, body: str) -> None:
        self.world.begin()
        self.pages = Pages(self.world, self.thread)
        path = f"/listings/{self.world.listing.slug}/conversation/"
        status, answer = self.world.post(0, path, message=body, client_message_id=str(KEYS[0]))
        assert status == 201, answer
        self.world.conversation = UUID(answer["conversation"])
        self.thread.say(0, KEYS[0], body, answer["created_at"])
        for room in (self.rooms[0][0], self.rooms[1][1]):
            self._open(room, anew=False)
        for inbox in self.inboxes:
            inbox.start(self.world.connect(inbox.person, inbox.process, "/ws/inbox/"))
            inbox.must_be_fresh = True
        self.totals["examples"] += 1
        if self.reports and self.totals["examples"] % 100 == 0:
            print(
                f"{self.totals['examples']:,} examples, {self.totals['steps']:,} steps", flush=True
            )

    # --- Saying and changing ----------------------------------------------------------------------

    # Writing is most of what happens: two rules for each kind of it.
    @rule(**SAYING)
    def say(self, **drawn: Any) -> None:
        self._say(**drawn)

    @rule(**SAYING)
    def say_more(self, **drawn: Any) -> None:
        self._say(**drawn)

    @rule(**CHANGING)
    def change(self, **drawn: Any) -> None:
        self._change(**drawn)

    @rule(**CHANGING)
    def change_more(self, **drawn: Any) -> None:
        self._change(**drawn)

    def _say(
        self,
        person: int,
        process: int,
        door: str,
        key: UUID,
        body: str,
        fate: str,
        read: int | None,
        cut: bool,
    ) -> None:
        """`cut`: the tab's line goes before its answer is seen."""
        tab = self._tab(person, process, door)
        verdict = self.thread.judge_send(person, key, body)
        given = {"message": body, "client_message_id": str(key)}
        more = {} if read is None else {"read": read}
        answer = self._write(tab, person, process, fate, "chat_message", {**given, **more}, verdict)
        if verdict == "stored":
            self.thread.read(person, read or 0)
            self.thread.say(person, key, body, answer["created_at"])
            if tab is not None and not cut and read is not None:
                tab.note_read(self.world.people[person].pk, self.thread.places[person].read)
        found = self.thread.find(person, key)
        if cut and isinstance(tab, RoomTab):
            self._tell(tab, process)
            self._hang_up(tab)
        else:
            self._note_said(tab, verdict, found)
            self._tell(tab, process)
        if found is not None and verdict != "forbidden":
            # A retry is told what the first sending took, whatever became of the message since.
            self._compare_answer(answer, found.sequence, found.created_revision, verdict)

    def _change(
        self, person: int, process: int, door: str, sequence: int, body: str | None, fate: str
    ) -> None:
        """Edit a message; without a `body` delete it."""
        tab = self._tab(person, process, door)
        if body is None:
            verdict, name = self.thread.judge_delete(person, sequence), "delete"
        else:
            verdict, name = self.thread.judge_edit(person, sequence, body), "edit"
        given = {"sequence": sequence, **({} if body is None else {"message": body})}
        answer = self._write(tab, person, process, fate, name, given, verdict)
        if verdict == "stored":
            self._apply(sequence, body)
            said = self.thread.said[sequence - 1]
            if tab is not None and (isinstance(tab, InboxTab) or sequence in tab.held):
                tab.note_own(self.thread.head, sequence, said.body, deleted=said.deleted)
        if verdict in ("stored", "duplicate"):
            said = self.thread.said[sequence - 1]
            self._compare_answer(answer, sequence, said.revision, verdict)
        self._tell(tab, process)

    # --- Reading, marks and blocks ----------------------------------------------------------------

    @rule(person=PEOPLE, process=PROCESSES, door=DOORS, sequence=SEQUENCES, fate=WEATHER)
    def read(self, person: int, process: int, door: str, sequence: int, fate: str) -> None:
        self.world.weather.fate, self.world.weather.here = fate, process
        tab = self._tab(person, process, door)
        self.thread.read(person, sequence)
        position = self.thread.places[person].read
        if tab is None:
            status, answer = self.world.post(person, self.world.url("read/"), sequence=sequence)
            assert (status, answer["sequence"]) == (200, position)
        else:
            assert tab.line is not None
            conversation = str(self.world.conversation)
            frame = {"type": "read", "sequence": sequence, "conversation": conversation}
            self.world.give((tab.line, frame))
            tab.note_read(self.world.people[person].pk, position)
        self._tell(tab, process)

    @rule(
        person=PEOPLE,
        process=PROCESSES,
        which=st.sampled_from(["archive", "archive", "star", "mute", "block", "unblock"]),
        on=st.booleans(),
        fate=WEATHER,
    )
    def mark(self, person: int, process: int, which: str, on: bool, fate: str) -> None:
        self.world.weather.fate, self.world.weather.here = fate, process
        if which in ("block", "unblock"):
            self._block(person, on=which == "block")
        else:
            self._mark(person, which, on=on)
        self._tell(None, process)

    def _mark(self, person: int, which: str, *, on: bool) -> None:
        name = {"archive": "archived", "star": "starred", "mute": "muted"}[which]
        setattr(self.thread.places[person], name, on)
        status, answer = self.world.post(person, self.world.url(f"{which}/"), on=int(on))
        assert (status, answer[name]) == (200, on)

    def _block(self, person: int, *, on: bool) -> None:
        (self.thread.blocks.add if on else self.thread.blocks.discard)(person)
        path = f"/people/{self.world.people[1 - person].pk}/block/"
        status, answer = self.world.post(person, path, on=int(on))
        assert (status, answer["blocked"]) == (200, on)

    # --- Coming, going and the layer --------------------------------------------------------------

    @rule(person=PEOPLE, process=PROCESSES, how=st.sampled_from(["anew", "back", "resume"]))
    def move(self, person: int, process: int, how: str) -> None:
        """A tab that is closed comes `back` as it was, or as a page that was loaded `anew`; one
        that is open closes, or asks to `resume`."""
        tab = self.rooms[person][process]
        if tab.line is None:
            self._open(tab, anew=how == "anew")
        elif how == "resume":
            self.world.give((tab.line, {"type": "resume", "after": tab.position}))
            tab.must_know(self.thread.head, self._reads())
        else:
            self._hang_up(tab)

    @precondition(lambda self: self.world.weather.late)
    @rule(order=st.lists(st.integers(0, 5), max_size=5))
    def arrive(self, order: list[int]) -> None:
        """What was late comes after all, in any order; a later change brings those before it."""
        by_id = {tab.line.connection_id: tab for tab in self.tabs if tab.line is not None}
        for connection, event in self.world.arrive(order):
            tab = by_id.get(connection.connection_id)
            if isinstance(tab, InboxTab):
                tab.must_be_fresh = tab.must_be_fresh or event["type"] != "blocks_changed"
            elif tab is not None and event["type"] in TELLS_ROOMS:
                reads = {event["user"]: event["sequence"]} if event["type"] == "read" else {}
                tab.must_know(event["revision"], reads)

    @rule()
    def beat(self) -> None:
        """A heartbeat brings everything to everybody."""
        self.world.beat()
        for tab in self.tabs:
            tab.must_know(self.thread.head, self._reads())

    # --- What must hold ---------------------------------------------------------------------------

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        if self.thread.said:
            self.totals["steps"] += 1
            self.pages.compare()
            for inbox in self.inboxes:
                compare_list(inbox, self.thread)
            for room in [*self.rooms[0], *self.rooms[1]]:
                if room.line is not None:
                    compare_room(room, self.thread, self._reads())
