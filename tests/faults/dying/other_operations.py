"""What is written besides messages: read positions, marks, blocks, places, sessions, mails."""

from email.message import EmailMessage

from tests.faults.dying.operations import Operation, Order, Report, judge_inbox
from tests.faults.dying.stage import HEALED_WITHIN_SECONDS
from tests.faults.dying.watching import becomes_true

NO_LONGER_PARTICIPANT = 4503
SESSION_ENDED = 4501
# When whatever a dead worker had claimed is free again.
LATER_SECONDS = 600


class Reads(Operation):
    """The seller reads on by one message at a time; the buyer watches."""

    name = "read"

    def prepare(self, label: str, times: int) -> None:
        frames = [{"message": f"number {number}"} for number in range(times)]
        buyer = self.scene["buyer"]["session"]
        self.stage.nursery.get("talk", session=buyer, conversation=self.conversation, frames=frames)
        self.watch = self.open_room("buyer")

    def begin(self, number: int) -> Order:
        self.sequence = number + 1
        return self.post(self.in_conversation("read/"), who="seller", sequence=self.sequence)

    def counts(self) -> list[int]:
        return [int(self.read_position() >= self.sequence)]

    def read_position(self) -> int:
        return self.facts.count(
            "SELECT read_sequence FROM messaging_participant"
            " WHERE conversation_id = %s AND user_id = %s",
            self.conversation,
            self.scene["seller"]["id"],
        )

    def judge_end(self) -> list[str]:
        seller = self.scene["seller"]["id"]
        told = becomes_true(
            lambda: self.watch.reads.get(seller) == self.read_position(),
            seconds=HEALED_WITHIN_SECONDS,
        )
        wrong = [] if told else ["the other side was not told how far was read"]
        return wrong + self.facts.judge(self.conversation)


class Archives(Operation):
    """On and off by turns; the person's own inbox watches."""

    name = "archive"

    def prepare(self, label: str, times: int) -> None:
        self.inbox = self.stage.watchers.open("/ws/inbox/", self.scene["seller"]["session"])

    def begin(self, number: int) -> Order:
        self.on = bool(number % 2)
        return self.post(self.in_conversation("archive/"), who="seller", on=int(self.on))

    def counts(self) -> list[int]:
        return [
            self.facts.count(
                "SELECT count(*) FROM messaging_participant"
                " WHERE conversation_id = %s AND user_id = %s AND archived = %s",
                self.conversation,
                self.scene["seller"]["id"],
                self.on,
            )
        ]

    def judge_end(self) -> list[str]:
        return judge_inbox(self, self.inbox)


class Blocks(Operation):
    """The seller blocks the buyer, who is refused from then on, on every process."""

    name = "block"
    on = 1

    def prepare(self, label: str, times: int) -> None:
        pass

    def begin(self, number: int) -> Order:
        people = (self.scene["seller"]["id"], self.scene["buyer"]["id"])
        self.facts.change("DELETE FROM messaging_block WHERE blocker_id = %s", people[0])
        if not self.on:
            self.facts.change(
                "INSERT INTO messaging_block (blocker_id, blocked_id, created_at)"
                " VALUES (%s, %s, now())",
                *people,
            )
        return self.post(f"/people/{people[1]}/block/", who="seller", on=self.on)

    def counts(self) -> list[int]:
        blocks = self.facts.count(
            "SELECT count(*) FROM messaging_block WHERE blocker_id = %s", self.scene["seller"]["id"]
        )
        return [blocks if self.on else 1 - blocks]

    def judge_hit(self) -> list[str]:
        path = self.in_conversation("new_message/")
        _, (answer,) = self.stage.nursery.run(*self.post(path, message="Do you hear me?"))
        expected = 403 if self.on else 201
        return [] if answer["status"] == expected else [f"a message was answered {answer}"]

    def judge_end(self) -> list[str]:
        return self.facts.judge(self.conversation)


class Unblocks(Blocks):
    name = "unblock"
    on = 0


class Leaves(Operation):
    """The seller goes; their own room, open on another process, has to close."""

    name = "leave"

    def prepare(self, label: str, times: int) -> None:
        pass

    def begin(self, number: int) -> Order:
        """They are back, as if they had never gone."""
        self.facts.change(
            "UPDATE messaging_participant SET left_at = NULL WHERE conversation_id = %s",
            self.conversation,
        )
        self.watch = self.open_room("seller")
        return self.post(self.in_conversation("leave/"), who="seller")

    def counts(self) -> list[int]:
        return [
            self.facts.count(
                "SELECT count(*) FROM messaging_participant"
                " WHERE conversation_id = %s AND user_id = %s AND left_at IS NOT NULL",
                self.conversation,
                self.scene["seller"]["id"],
            )
        ]

    def judge_retry(self, before: list[int], reports: list[Report]) -> list[str]:
        """Who is gone is answered as a stranger is."""
        expected = 404 if before[0] else 200
        return [] if reports[0]["status"] == expected else [f"a retry was answered {reports[0]}"]

    def judge_hit(self) -> list[str]:
        return judge_closed(self, NO_LONGER_PARTICIPANT)

    def judge_end(self) -> list[str]:
        return []


def judge_closed(operation: Operation, code: int) -> list[str]:
    if not operation.watch.ended.wait(HEALED_WITHIN_SECONDS):
        return ["a socket that should have been closed is still open"]
    found = operation.watch.close_code
    return [] if found == code else [f"a socket was closed with {found} instead of {code}"]


class SessionEnds(Operation):
    """One session of the buyer's; its socket has to close and its writes have to be refused."""

    name = "end a session"

    def prepare(self, label: str, times: int) -> None:
        person = self.scene["buyer"]["id"]
        made = self.stage.nursery.get("make_sessions", person=person, count=times)
        self.sessions = [report["session"] for report in made]

    def begin(self, number: int) -> Order:
        self.session = self.sessions[number - 1]
        self.watch = self.stage.watchers.open("/ws/inbox/", self.session)
        return "end_session", {"session": self.session}

    def counts(self) -> list[int]:
        left = self.facts.count(
            "SELECT count(*) FROM django_session WHERE session_key = %s", self.session
        )
        return [1 - left]

    def judge_hit(self) -> list[str]:
        path = self.in_conversation("new_message/")
        act, arguments = self.post(path, message="I am still here")
        arguments["session"] = self.session
        _, (answer,) = self.stage.nursery.run(act, arguments)
        wrong = [] if answer["status"] == 401 else [f"a message was answered {answer}"]
        return wrong + judge_closed(self, SESSION_ENDED)

    def judge_end(self) -> list[str]:
        return self.facts.judge(self.conversation)


class Notifies(Operation):
    """A message to somebody away, then what a beat and a worker do about it.

    One notification for each message here, since nobody writes a second one before the mail left;
    the same mail may come twice, with the same Message-ID.
    """

    name = "notify"
    deliveries = """
    SELECT d.message_id, d.state FROM notifications_delivery d
    JOIN notifications_notification n ON n.id = d.notification_id
    WHERE n.key = %s AND n.first_sequence <= %s AND n.last_sequence >= %s
    """

    def prepare(self, label: str, times: int) -> None:
        self.mailed = 0

    def begin(self, number: int) -> Order:
        self.stage.forget_what_is_due()
        path = self.in_conversation("new_message/")
        act, arguments = self.post(path, message=f"number {number}")
        (answer,) = self.stage.nursery.get(act, **arguments)
        self.sequence = answer["sequence"]
        return "work", {}

    def counts(self) -> list[int]:
        return [len(self.find_deliveries())]

    def find_deliveries(self) -> list[tuple[str, str]]:
        values = (self.conversation, self.sequence, self.sequence)
        return [(name, state) for name, state in self.facts.ask(self.deliveries, *values)]

    def again(self, order: Order) -> Order:
        """Another worker, when what the dead one had claimed is free again."""
        return "work", {"shift": LATER_SECONDS}

    def judge_hit(self) -> list[str]:
        found = self.find_deliveries()
        mails = [mail for mail in self.mails() if str(mail["Message-ID"]) == found[0][0]]
        self.mailed += 1
        wrong = [f"a delivery is {state}" for _, state in found if state != "sent"]
        if not 1 <= len(mails) <= self.most_mails:
            wrong.append(f"{len(mails)} mails for one delivery")
        if len({str(mail["Message-ID"]) for mail in self.mails()}) != self.mailed:
            wrong.append("mails under more ids than there were deliveries")
        return wrong

    # Once, unless the process dies between the mail server's word and its own.
    most_mails = 1

    def mails(self) -> list[EmailMessage]:
        return self.stage.mails.sent_to(self.scene["seller"]["email"])

    def judge_end(self) -> list[str]:
        return self.facts.judge(self.conversation)


class NotifiesTwice(Notifies):
    name = "notify (mail may repeat)"
    most_mails = 2
