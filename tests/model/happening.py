"""What the rules of the machine are made of: writing by one door or another, and who must know."""

from collections import Counter
from typing import Any, ClassVar

from hypothesis.stateful import RuleBasedStateMachine

from tests.model.expected import Said, Thread
from tests.model.tabs import InboxTab, RoomTab
from tests.model.world import CHANGES_PAGE, World

CODES = {"stored": 201, "duplicate": 200, "conflict": 409, "forbidden": 403, "not_found": 404}

Tab = RoomTab | InboxTab


class Happening(RuleBasedStateMachine):
    """People are 0 and 1, processes too; each person has a room's tab in both."""

    world: ClassVar[World]
    totals: ClassVar[Counter[str]] = Counter()
    reports: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.thread = Thread()
        self.rooms = [[RoomTab(person, process) for process in (0, 1)] for person in (0, 1)]
        self.inboxes = [InboxTab(person, 1 - person) for person in (0, 1)]
        for tab in self.tabs:
            tab.log = self.thread.log
        self.known_head, self.known_reads = 1, dict[int, int]()

    def teardown(self) -> None:
        self.world.end()

    @property
    def tabs(self) -> list[Tab]:
        return [*self.rooms[0], *self.rooms[1], *self.inboxes]

    # --- Writing ----------------------------------------------------------------------------------

    def _note_said(self, tab: Tab | None, verdict: str, said: Said | None) -> None:
        if tab is not None and said is not None and verdict in ("stored", "duplicate"):
            again = verdict == "duplicate"
            tab.note_own(said.created_revision, said.sequence, said.original, again=again)

    def _compare_answer(
        self, answer: dict[str, Any], sequence: int, revision: int, verdict: str
    ) -> None:
        if "sequence" in answer:  # A page's, and every answer to what is stored.
            assert (answer["sequence"], answer["revision"]) == (sequence, revision), answer
            assert answer["duplicate"] == (verdict != "stored"), answer
        else:
            assert verdict == "conflict", answer

    def _apply(self, sequence: int, body: str | None) -> None:
        if body is None:
            self.thread.delete(sequence)
        else:
            self.thread.edit(sequence, body)

    def _write(
        self,
        tab: Tab | None,
        person: int,
        process: int,
        fate: str,
        kind: str,
        given: dict[str, Any],
        verdict: str,
        *,
        door: str,
    ) -> dict[str, Any]:
        """Over a tab, or as a page that this process serves. The answer is as the model says."""
        self.world.weather.fate, self.world.weather.here = fate, process
        self.totals[f"{kind} {verdict}"] += 1
        if tab is None:
            status, answer = self.world.post(person, self._path(kind, given, door), **given)
            expected = CODES[verdict]
            if kind != "chat_message" and verdict == "stored":
                expected = 200
            assert status == expected, (answer, verdict)
            assert answer.get("code", verdict) == verdict, answer
            return answer
        assert tab.line is not None
        frame = {"type": kind, "conversation": str(self.world.conversation), **given}
        self.world.give((tab.line, frame))
        (answer,) = tab.line.take_answers(1)
        self._compare_verdict(answer, verdict)
        return answer

    def _compare_verdict(self, answer: dict[str, Any], verdict: str) -> None:
        """Of a frame's answer."""
        assert (answer["type"] == "ack") == (verdict in ("stored", "duplicate")), (answer, verdict)
        assert answer.get("code", verdict) == verdict, answer

    def _path(self, kind: str, given: dict[str, Any], door: str) -> str:
        if door == "listing":
            return self.world.ask_url()
        if kind == "chat_message":
            return self.world.url("new_message/")
        return self.world.url(f"messages/{given['sequence']}/{kind}/")

    def _tab(self, person: int, process: int, door: str) -> Tab | None:
        """None where the page has to do it."""
        tabs: dict[str, Tab] = {
            "room": self.rooms[person][process],
            "inbox": self.inboxes[person],
        }
        tab = tabs.get(door)
        return tab if tab is not None and tab.line is not None else None

    def _tell(self, tab: Tab | None, process: int) -> None:
        """Who must know by now what this step has changed: whoever the weather let hear of it."""
        writer = process if tab is None else tab.process
        changed = self.thread.head if self.thread.head > self.known_head else 0
        reads = self._reads().items() - self.known_reads.items()
        self.known_head, self.known_reads = self.thread.head, self._reads()
        for each in self.tabs:
            hears = self.world.weather.hears_at_once(each.process, writer)
            if isinstance(each, InboxTab):
                each.must_be_fresh = each.must_be_fresh and hears
            elif hears:
                each.must_know(changed, dict(reads))

    def _reads(self) -> dict[int, int]:
        places = zip(self.world.people, self.thread.places, strict=True)
        return {user.pk: place.read for user, place in places}

    # --- Tabs -------------------------------------------------------------------------------------

    def _open(self, tab: RoomTab, *, anew: bool) -> None:
        if anew:
            page = self.world.ask_thread(tab.person)
            tab.load(page["results"], page["revision"])
        self._count_pages(tab)
        path = f"/ws/room/{self.world.conversation}/?after={tab.position}"
        tab.start(self.world.connect(tab.person, tab.process, path))
        tab.must_know(self.thread.head, self._reads())

    def _count_pages(self, tab: RoomTab) -> None:
        if len(self.thread.changes_after(tab.position)) > CHANGES_PAGE:
            self.totals["replay of several pages"] += 1

    def _hang_up(self, tab: RoomTab) -> None:
        assert tab.line is not None
        self.world.hang_up(tab.line)
        tab.line = None
