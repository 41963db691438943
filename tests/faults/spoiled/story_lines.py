"""What a story is made of: the lines of its history, its final state, and the time that goes on."""

import json
from pathlib import Path
from typing import Any

from tests.faults.final_state import Conversation, FinalState, Mail, Place, StoredMessage

ANA, SOL, TEO, DAN = 1, 2, 3, 4
PEOPLE = {ANA: "Ana", SOL: "Sol", TEO: "Teo", DAN: "Dan"}
LISTING = "green-armchair"
HERS, HIS = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"
THEIRS = "aaaaaaaa-0000-4000-8000-000000000003"
Line = dict[str, Any]


class Lines:
    """Time goes on by a tenth of a second with every line."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.at = 0.0
        self.final = FinalState(at=0.0, refusals=[])
        self.operations = 0
        self.counter = 0
        self.final.people = {person: f"person-{person}@example.org" for person in PEOPLE}

    # --- Lines ----------------------------------------------------------------------------------

    def _add(self, who: str, kind: str, state: str, operation: int, value: Line) -> Line:
        self.at = round(self.at + 0.1, 3)
        line = {"at": self.at, "who": who, "kind": kind, "state": state}
        self.lines.append({**line, "operation": operation, "value": value})
        return self.lines[-1]

    def invoke(self, who: str, kind: str, **value: Any) -> int:
        self.operations += 1
        self._add(who, kind, "invoke", self.operations, value)
        return self.operations

    def end(self, operation: int, state: str, **value: Any) -> Line:
        begun = next(line for line in self.lines if line["operation"] == operation)
        return self._add(begun["who"], begun["kind"], state, operation, value)

    def do(self, who: str, kind: str, answer: Line | None = None, **value: Any) -> Line:
        value = {"person": person_of(who), **value}
        operation = self.invoke(who, kind, **value)
        return self.end(operation, "ok", **(answer or {}))

    def see(self, who: str, kind: str, **value: Any) -> Line:
        return self._add(who, kind, "seen", 0, value)

    def phase(self, name: str) -> None:
        self.see("campaign", "phase", name=name, nemesis=0)

    def wait(self, seconds: float) -> None:
        self.at += seconds

    def fault(
        self, what: str, target: str, nemesis: int, seconds: float = 1.0, **told: Any
    ) -> None:
        operation = self.invoke("nemesis", what, nemesis=nemesis, target=target)
        self.at += seconds
        self.end(operation, "ok", **{"effect": 1, **told})

    def write(self, path: Path) -> Path:
        path.write_text("".join(json.dumps(line) + "\n" for line in self.lines))
        return path

    # --- What is stored -------------------------------------------------------------------------

    def open(self, key: str, buyer: int) -> Conversation:
        conversation = Conversation(key, LISTING, 0, 0)
        for user, role in ((buyer, "buyer"), (SOL, "seller")):
            place = Place(user, role, 0, 0, False, False, 0, False, name=PEOPLE[user])
            conversation.places[user] = place
        self.final.conversations[key] = conversation
        return conversation

    def store(self, conversation: Conversation, person: int, key: str, body: str) -> StoredMessage:
        conversation.last_sequence += 1
        conversation.revision += 1
        numbers = (conversation.last_sequence, conversation.revision, conversation.revision)
        message = StoredMessage(
            conversation.id, *numbers, person, "text", body, key, edited=False, deleted=False
        )
        message.id = 1000 + sum(len(each.messages) for each in self.final.conversations.values())
        conversation.messages.append(message)
        for place in conversation.places.values():
            place.unread += place.user != person
        return message

    def body(self, person: int, place: str) -> str:
        self.counter += 1
        return f"{person} {self.counter} {place}|is it still there"

    # --- What the processes hold ----------------------------------------------------------------

    def send_mail(self, person: int, message_id: str, text: str) -> None:
        self.at += 0.1
        shown = {"headers": "Subject: Green armchair", "html": f"<p>{text}</p>"}
        mail = Mail(self.at, self.final.people[person], message_id, text, **shown)
        self.final.mails.append(mail)

    def measure(self) -> None:
        megabytes = {"web1": 80, "web2": 81, "beat1": 60}
        memory = {name: size * 1024 * 1024 for name, size in megabytes.items()}
        self.see(
            "campaign", "resources", memory=memory, peak=dict(memory),
            descriptors={"web1": 30, "web2": 31}, connections=12,
        )  # fmt: skip


def person_of(who: str) -> int:
    """Tabs are named like 2.1: the first of Sol's."""
    return int(who.partition(".")[0])
