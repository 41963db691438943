"""The rules that write: saying, saying again, changing."""

from typing import Any
from uuid import UUID, uuid5

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.model.expected import BODIES, Said
from tests.model.happening import Happening, Tab
from tests.model.tabs import InboxTab, RoomTab
from tests.model.weather import FATES

# Few, so that one is used again; what is said several at once has ids of its own.
KEYS = [uuid5(UUID(int=0), str(number)) for number in range(6)]
MOST_MESSAGES = 30  # Less than a page of a thread's history.

PEOPLE = st.integers(0, 1)
PROCESSES = st.integers(0, 1)
BODY = st.sampled_from(BODIES)
SEQUENCES = st.integers(0, 8)
WEATHER = st.sampled_from(FATES)
DOORS = st.sampled_from(["room", "room", "inbox", "page"])
EVERY_DOOR = st.sampled_from(["room", "room", "inbox", "page", "listing"])
CUT = st.sampled_from([False, False, False, True])
SOMEWHERE: dict[str, Any] = {"process": PROCESSES, "door": DOORS, "fate": WEATHER}
ANYWHERE: dict[str, Any] = {"person": PEOPLE, **SOMEWHERE}
SAYING = {
    **ANYWHERE,
    "key": st.sampled_from(KEYS),
    "body": BODY,
    "read": st.none() | SEQUENCES,
    "cut": CUT,
}
AGAIN = {**SOMEWHERE, "door": EVERY_DOOR, "which": st.integers(0, MOST_MESSAGES), "cut": CUT}
OWN = {**SOMEWHERE, "which": st.integers(0, MOST_MESSAGES), "body": BODY}


class Writing(Happening):
    """Writing is most of what happens."""

    # --- Saying -----------------------------------------------------------------------------------

    @rule(**SAYING)
    def say(self, **drawn: Any) -> None:
        self._say(**drawn)

    @rule(**SAYING)
    def say_more(self, **drawn: Any) -> None:
        self._say(**drawn)

    @precondition(lambda self: self.thread.last < MOST_MESSAGES)
    @rule(**ANYWHERE, bodies=st.lists(BODY, min_size=2, max_size=6), twin=st.booleans())
    def say_several(
        self, person: int, process: int, door: str, fate: str, bodies: list[str], twin: bool
    ) -> None:
        """All given before the first is answered; with a `twin` the last one twice."""
        bodies = [*bodies, *bodies[-1:]] if twin else bodies
        numbers = list(range(self.thread.last, self.thread.last + len(bodies)))
        if twin:
            numbers[-1] = numbers[-2]
        keys = [uuid5(UUID(int=1), str(number)) for number in numbers]
        tab = self._tab(person, process, door)
        if tab is None:
            for key, body in zip(keys, bodies, strict=True):
                self._say(person, process, door, key, body, fate)
        else:
            self._say_together(tab, person, fate, list(zip(keys, bodies, strict=True)))
        self.totals["several said at once"] += 1

    @precondition(lambda self: self.thread.said)
    @rule(**AGAIN)
    def retry(self, process: int, door: str, fate: str, which: int, cut: bool) -> None:
        """What is stored comes once more as it came first, whatever became of it."""
        said = self._pick(self.thread.said, which)
        if said.deleted or said.revision != said.created_revision:
            self.totals["retry after " + ("a deletion" if said.deleted else "an edit")] += 1
        if self.thread.blocks:
            self.totals["retry over a block"] += 1
        if door == "listing" and said.author == 1:  # Nobody asks about what they sell.
            door = "page"
        self._say(said.author, process, door, said.key, said.original, fate, cut=cut)

    def _say(
        self,
        person: int,
        process: int,
        door: str,
        key: UUID,
        body: str,
        fate: str,
        read: int | None = None,
        cut: bool = False,
    ) -> None:
        """`cut`: the tab's line goes before its answer is seen."""
        tab = self._tab(person, process, door)
        verdict = self.thread.judge_send(person, key, body)
        given = {"message": body, "client_message_id": str(key)}
        more = {} if read is None else {"read": read}
        answer = self._write(
            tab, person, process, fate, "chat_message", {**given, **more}, verdict, door=door
        )
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
        self._compare_receipt(answer, found, verdict)

    def _say_together(
        self, tab: Tab, person: int, fate: str, messages: list[tuple[UUID, str]]
    ) -> None:
        """One frame after the other over one line: answered one by one, in their order."""
        assert tab.line is not None
        line, conversation = tab.line, str(self.world.conversation)
        self.world.weather.fate = fate
        named = {"type": "chat_message", "conversation": conversation}
        frames = [{**named, "client_message_id": str(key), "message": b} for key, b in messages]
        self.world.give(*[(line, frame) for frame in frames])
        answers = line.take_answers(len(messages))
        for (key, body), answer in zip(messages, answers, strict=True):
            verdict = self.thread.judge_send(person, key, body)
            self.totals[f"chat_message {verdict}"] += 1
            self._compare_verdict(answer, verdict)
            assert answer["client_message_id"] == str(key), answer
            if verdict == "stored":
                self.thread.say(person, key, body, answer["created_at"])
            found = self.thread.find(person, key)
            self._note_said(tab, verdict, found)
            self._compare_receipt(answer, found, verdict)
        self._tell(tab, tab.process)

    def _compare_receipt(self, answer: dict[str, Any], found: Said | None, verdict: str) -> None:
        """A retry is told what the first sending took, whatever became of the message since."""
        if found is not None and verdict != "forbidden":
            self._compare_answer(answer, found.sequence, found.created_revision, verdict)

    # --- Changing ---------------------------------------------------------------------------------

    @rule(**ANYWHERE, sequence=st.integers(1, 5), body=st.none() | BODY)
    def change(self, **drawn: Any) -> None:
        """Anybody's message, or one that is not there."""
        self._change(**drawn)

    @precondition(lambda self: self.thread.said)
    @rule(**OWN)
    def edit_own(self, **drawn: Any) -> None:
        self._change_own(**drawn)

    @precondition(lambda self: self.thread.said)
    @rule(**SOMEWHERE, which=st.integers(0, MOST_MESSAGES))
    def delete_own(self, **drawn: Any) -> None:
        self._change_own(**drawn, body=None)

    def _change_own(self, process: int, door: str, fate: str, which: int, body: str | None) -> None:
        """By whoever wrote it; while something is left, not what is gone."""
        living = [said for said in self.thread.said if not said.deleted]
        said = self._pick(living or self.thread.said, which)
        if self.thread.blocks:
            self.totals["edit over a block" if body else "deletion over a block"] += 1
        self._change(said.author, process, door, fate, said.sequence, body)

    def _change(
        self, person: int, process: int, door: str, fate: str, sequence: int, body: str | None
    ) -> None:
        """Edit a message; without a `body` delete it."""
        tab = self._tab(person, process, door)
        if body is None:
            verdict, name = self.thread.judge_delete(person, sequence), "delete"
        else:
            verdict, name = self.thread.judge_edit(person, sequence, body), "edit"
        given = {"sequence": sequence, **({} if body is None else {"message": body})}
        answer = self._write(tab, person, process, fate, name, given, verdict, door=door)
        if verdict == "stored":
            self._apply(sequence, body)
        if verdict in ("stored", "duplicate"):
            said = self.thread.said[sequence - 1]
            self._note_changed(tab, said, verdict)
            self._compare_answer(answer, sequence, said.revision, verdict)
        self._tell(tab, process)

    def _note_changed(self, tab: Tab | None, said: Said, verdict: str) -> None:
        """What was so already is known to a thread's page with the answer; whoever made it so may
        still be heard of."""
        again = verdict == "duplicate"
        knows = not again if isinstance(tab, InboxTab) else tab and said.sequence in tab.held
        if tab is not None and knows:
            tab.note_own(said.revision, said.sequence, said.body, deleted=said.deleted, again=again)

    @staticmethod
    def _pick(messages: list[Said], which: int) -> Said:
        """The newest for 0, and so on back."""
        return messages[-1 - which % len(messages)]
