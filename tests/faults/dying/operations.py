"""Each way in which something is written, as an attempt that can be made, judged and made again."""

from abc import ABC, abstractmethod
from typing import Any
from uuid import uuid4

from tests.faults.dying.stage import HEALED_WITHIN_SECONDS, Stage
from tests.faults.dying.watching import Watch, becomes_true

Report = dict[str, Any]
Order = tuple[str, dict[str, Any]]
OF_KEY = "SELECT sequence, created_revision FROM messaging_message WHERE client_message_id = %s"


class Operation(ABC):
    """On a scene of its own. `counts` is about the attempt that `begin` began last."""

    name = ""

    def __init__(self, stage: Stage, label: str, times: int) -> None:
        self.stage, self.facts = stage, stage.facts
        self.scene = stage.make_scene(label)
        self.conversation: str = self.scene["conversation"]
        self.prepare(label, times)

    def prepare(self, label: str, times: int) -> None:
        """What is there before the first attempt, and who watches."""
        self.watch = self.open_room("seller")

    @abstractmethod
    def begin(self, number: int) -> Order:
        """The attempt with this number, counted from 1. The retry is the same order again."""

    @abstractmethod
    def counts(self) -> list[int]:
        """How often each thing that the attempt writes is stored: 0, 1, or more by mistake."""

    def again(self, order: Order) -> Order:
        """What is done after the death: for what people do, the same once more."""
        return order

    def judge_retry(self, before: list[int], reports: list[Report]) -> list[str]:
        """What is wrong with how the retry was answered; `before`: the counts before it."""
        return [f"a retry was refused: {one}" for one in reports if not is_acknowledged(one)]

    def judge_hit(self) -> list[str]:
        """After the retry, and what is wrong then."""
        return []

    def judge_end(self) -> list[str]:
        """When all attempts were made: nothing missing in the database, nor with the others."""
        return [*self.facts.judge(self.conversation), *self.judge_watch(self.watch)]

    # --- Who watches ------------------------------------------------------------------------------

    def open_room(self, who: str, after: int = 0) -> Watch:
        path = f"/ws/room/{self.conversation}/?after={after}"
        return self.stage.watchers.open(path, self.scene[who]["session"])

    def judge_watch(self, watch: Watch) -> list[str]:
        """The socket that was open all the time, and one that comes and asks for everything."""
        stored = self.facts.read_messages(self.conversation)
        wrong = []
        if not becomes_true(lambda: watch.held == stored, seconds=HEALED_WITHIN_SECONDS):
            wrong.append("an open socket did not get everything")
        if not watch.is_in_order:
            wrong.append(f"an open socket got {watch.revisions}")
        if self.open_room("seller").held != stored:
            wrong.append("a replay did not bring everything")
        return wrong

    def post(self, path: str, *, who: str = "buyer", **fields: Any) -> Order:
        session = self.scene[who]["session"]
        return "post", {"session": session, "path": path, "fields": fields}

    def in_conversation(self, path: str) -> str:
        return f"/conversation/{self.conversation}/{path}"


def is_acknowledged(report: Report) -> bool:
    if "type" in report:
        return bool(report["type"] == "ack")
    return report["status"] in (200, 201)


def judge_duplicate(before: list[int], reports: list[Report]) -> list[str]:
    duplicate = reports[0].get("duplicate")
    return [] if duplicate is bool(before[0]) else [f"a retry was a duplicate: {duplicate}"]


# --- Messages -------------------------------------------------------------------------------------


class Sends(Operation):
    """Messages under ids of their own; a retry must be recognised, with the same sequence."""

    keys: list[str]

    def counts(self) -> list[int]:
        return [len(self.facts.ask(OF_KEY, key)) for key in self.keys]

    def judge_retry(self, before: list[int], reports: list[Report]) -> list[str]:
        if wrong := super().judge_retry(before, reports):
            return wrong
        for key, stored, report in zip(self.keys, before, reports, strict=True):
            ((sequence, revision),) = self.facts.ask(OF_KEY, key)
            expected = (bool(stored), sequence, revision)
            given = tuple(report.get(name) for name in ("duplicate", "sequence", "revision"))
            if given != expected:
                wrong.append(f"a retry was answered {given} instead of {expected}")
        return wrong


class SocketSends(Sends):
    name = "send (socket)"

    def begin(self, number: int) -> Order:
        """Three in one breath: the first is a batch, the others are the next."""
        self.keys = [str(uuid4()) for _ in range(3)]
        frames = [
            {"message": f"number {number}.{part}", "client_message_id": key}
            for part, key in enumerate(self.keys)
        ]
        session = self.scene["buyer"]["session"]
        return "talk", {
            "session": session,
            "conversation": self.conversation,
            "frames": frames,
        }


class PageSends(Sends):
    name = "send (page)"

    def begin(self, number: int) -> Order:
        self.keys = [str(uuid4())]
        path = self.in_conversation("new_message/")
        return self.post(path, message=f"number {number}", client_message_id=self.keys[0])


class Starts(Sends):
    """A conversation with its first message: another listing for each."""

    name = "start"
    rows = """
    SELECT c.id FROM messaging_conversation c JOIN listings_listing l ON l.id = c.listing_id
    WHERE l.slug = %s
    """

    def prepare(self, label: str, times: int) -> None:
        seller = self.scene["seller"]["id"]
        made = self.stage.nursery.get(
            "make_listings", seller=seller, name=f"{label}-more", count=times
        )
        self.slugs = [report["slug"] for report in made]
        self.begun: list[str] = []
        self.inbox = self.stage.watchers.open("/ws/inbox/", self.scene["seller"]["session"])

    def begin(self, number: int) -> Order:
        self.keys, slug = [str(uuid4())], self.slugs[number - 1]
        self.begun.append(slug)
        path = f"/listings/{slug}/conversation/"
        return self.post(path, message="Is it still there?", client_message_id=self.keys[0])

    def judge_end(self) -> list[str]:
        wrong = []
        for slug in self.begun:
            found = self.facts.ask(self.rows, slug)
            if len(found) != 1:
                wrong.append(f"{len(found)} conversations about {slug}")
            for (conversation,) in found:
                wrong += self.facts.judge(str(conversation))
        return wrong + judge_inbox(self, self.inbox)


def judge_inbox(operation: Operation, inbox: Watch) -> list[str]:
    """Its heartbeat must have come to what a fresh one says: otherwise a page would not reload."""

    def is_told() -> bool:
        fresh = operation.stage.watchers.open("/ws/inbox/", operation.scene["seller"]["session"])
        becomes_true(lambda: bool(fresh.cursor), seconds=HEALED_WITHIN_SECONDS)
        return bool(inbox.cursor) and inbox.cursor == fresh.cursor

    told = becomes_true(is_told, seconds=HEALED_WITHIN_SECONDS)
    return [] if told else ["an inbox was not told that something is new"]


class Edits(Operation):
    name = "edit"

    def begin(self, number: int) -> Order:
        self.text = f"in other words {number}"
        return self.post(self.in_conversation("messages/1/edit/"), message=self.text)

    def counts(self) -> list[int]:
        """Twice would have taken two revisions."""
        body = self.facts.read_messages(self.conversation)[1][1]
        ((_, revision),) = self.facts.ask(
            "SELECT last_sequence, revision FROM messaging_conversation WHERE id = %s",
            self.conversation,
        )
        number = int(self.text.rsplit(maxsplit=1)[1])
        return [revision - number if body == self.text else 0]

    def judge_retry(self, before: list[int], reports: list[Report]) -> list[str]:
        return judge_duplicate(before, reports) or super().judge_retry(before, reports)


class Deletions(Operation):
    name = "delete (socket)"

    def prepare(self, label: str, times: int) -> None:
        frames = [{"message": f"number {number}"} for number in range(times)]
        self.stage.nursery.get(
            "talk",
            session=self.scene["buyer"]["session"],
            conversation=self.conversation,
            frames=frames,
        )
        super().prepare(label, times)

    def begin(self, number: int) -> Order:
        self.sequence = number + 1
        frame = {"type": "delete", "sequence": self.sequence}
        session = self.scene["buyer"]["session"]
        return "talk", {
            "session": session,
            "conversation": self.conversation,
            "frames": [frame],
        }

    def counts(self) -> list[int]:
        return [int(self.facts.read_messages(self.conversation)[self.sequence][2])]

    def judge_retry(self, before: list[int], reports: list[Report]) -> list[str]:
        return judge_duplicate(before, reports) or super().judge_retry(before, reports)
