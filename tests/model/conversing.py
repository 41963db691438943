"""Two people, two tabs each and a list each, against one model, step by step.

After every step what each tab holds equals the model up to where that tab must be by now, and what
the pages answer anew equals the model.
"""

from uuid import UUID, uuid5

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.model.comparing import (
    Pages,
    compare_list,
    compare_ready,
    compare_replay,
    compare_room,
    compare_senders,
)
from tests.model.tabs import IGNORED, InboxTab
from tests.model.weather import TELLS_ROOMS
from tests.model.world import CHANGES_PAGE
from tests.model.writing import BODY, DOORS, KEYS, PEOPLE, PROCESSES, SEQUENCES, WEATHER, Writing


class Conversing(Writing):
    """All rules: what may happen at each step."""

    @initialize(body=BODY, more=st.lists(BODY, max_size=5))
    def meet(self, body: str, more: list[str]) -> None:
        """With a question and, often, more than a page of answers."""
        self.world.begin()
        self.pages = Pages(self.world, self.thread)
        status, answer = self.world.post(
            0, self.world.ask_url(), message=body, client_message_id=str(KEYS[0])
        )
        assert status == 201, answer
        self.world.conversation = UUID(answer["conversation"])
        self.thread.say(0, KEYS[0], body, answer["created_at"])
        for number, reply in enumerate(more):
            self._say(1, 0, "page", uuid5(UUID(int=2), str(number)), reply, "arrives")
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
        which=st.sampled_from(["archive", "archive", "star", "mute", "block", "block", "unblock"]),
        on=st.sampled_from([True, True, False]),
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
            self._count_pages(tab)
            self.world.give((tab.line, {"type": "resume", "after": tab.position}))
            tab.must_know(self.thread.head, self._reads())
        else:
            self._hang_up(tab)

    @rule(person=PEOPLE, over_list=st.booleans(), after=st.integers(0, 20))
    def look_back(self, person: int, over_list: bool, after: int) -> None:
        """Ask for what changed since, over a list's socket or over HTTP, page by page."""
        after = min(after, self.thread.head)
        if len(self.thread.changes_after(after)) > CHANGES_PAGE:
            self.totals["look back over several pages"] += 1
        line = self.inboxes[person].line
        if not over_list or line is None:
            changes = self.world.page_messages(person, after)
            compare_replay(changes, self.thread, after)
            compare_senders(changes, self.world, self.thread, person)
            return
        conversation = str(self.world.conversation)
        self.world.give((line, {"type": "resume", "after": after, "conversation": conversation}))
        *found, ready = [frame for frame in line.take() if frame["type"] not in IGNORED]
        compare_replay(found, self.thread, after, typed=True)
        compare_senders(found, self.world, self.thread, person)
        compare_ready(ready, self.thread, person)

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
