"""I8: whether mails come in time, mid-run too."""

from collections import Counter
from math import inf
from statistics import median

from tests.faults.checker.known import Known, short
from tests.faults.checker.mail_times import (
    USUALLY_WITHIN,
    WITHIN,
    MailTimes,
    back_off,
    find_lost,
    find_times,
)
from tests.faults.checker.mailed import AWAY_SECONDS
from tests.faults.checker.reading import Operation
from tests.faults.checker.told import span_of
from tests.faults.checker.verdicts import Tally
from tests.faults.final_state import Conversation, Delivery, Notification, Place, StoredMessage
from tests.faults.servers.quiet import PutOff

# The end of a back-off is written down a moment after it was chosen.
SLACK = 5.0
# Of fewer no half is judged.
LEAST_MAILS = 20


class MailedInTime:
    """I8: a mail comes in time: within 120 s of when it is due; and of those with nothing hurt to
    people who never had a socket, where there are twenty, half within 15 s, unless the machine did
    something else besides.

    Due is what somebody without a socket is owed 6 s after the first message in it was stored, of
    those that they had not muted and that came while they took part; and for who had one, 75 s
    after the last of theirs ended. Time is not counted in which a fault hurt workers, beats, the
    mail server, the database, Redis or the ways between them, nor the 15 s after it. Such a fault,
    if it came before the mail had to be there, may once leave a look behind that is claimed for
    60 s, and cost each attempt to send it but the last the wait after it (10 s, doubled each time),
    or 120 s where nobody wrote down that it failed. What is not sent at the end is judged by that
    moment, and so is a look that is still to come at who is owed one. A wrong clock, of a web
    process when the message was stored or of a worker while the mail was due, puts off for up to an
    hour: such mails are counted, and not judged.

    What was put off for more than 15 s when the mails of the end had been waited for, and was then
    brought forward, had failed, with a reason and for as long as a failure puts off, or a clock was
    wrong.
    """

    def __init__(self, known: Known, *, is_busy: bool = False) -> None:
        self.known = known
        self.tally = Tally("I8", "in time")
        self.is_busy = is_busy
        self.took: list[float] = []
        self.unhurt: list[float] = []
        self._were_here: set[int] = set()
        self.seen: Counter[str] = Counter()

    def ended_connect(self, operation: Operation) -> None:
        """One that was refused is no socket."""
        if operation.state != "fail":
            self._were_here.add(operation.asked["person"])

    def finish(self) -> None:
        self._times = MailTimes(self.known)
        self._read_final()
        for row in self.known.final.put_off or ():
            problem = self._explain(row)
            self.tally.expect(
                not problem,
                f"{row.recipient}: a {row.what} in {short(row.key)} that was due only"
                f" {row.due_in:.0f} s after all had been waited for, {problem}",
            )
        for bursts in self._bursts.values():
            for notification in bursts:
                for delivery in notification.deliveries:
                    self._check(notification, delivery)
        for conversation in self.known.conversations.values():
            for place in conversation.places.values():
                if place.waits:
                    self._check_look(conversation, place)
        self.judge_half()
        self._write_note()

    def judge_half(self) -> None:
        if len(self.unhurt) >= LEAST_MAILS and not self.is_busy:
            half = median(self.unhurt)
            self.tally.expect(
                half <= USUALLY_WITHIN,
                f"half of {len(self.unhurt)} mails with nothing hurt were later than {half:.1f} s",
            )

    def _read_final(self) -> None:
        final = self.known.final
        self._mailed: dict[str, float] = {}
        for mail in final.mails:
            first = self._mailed.get(mail.message_id, inf)
            self._mailed[mail.message_id] = min(first, mail.at)
        self._bursts: dict[tuple[int, str], list[Notification]] = {}
        for notification in sorted(final.notifications, key=lambda each: each.first):
            place = (notification.recipient, notification.key)
            self._bursts.setdefault(place, []).append(notification)
        self._put_off = {(row.recipient, row.key) for row in final.put_off or ()}

    # --- Mails ----------------------------------------------------------------------------------

    def _check(self, notification: Notification, delivery: Delivery) -> None:
        """Of what was given up or dropped nothing is late, and what is nowhere is judged by
        itself (mailed.py)."""
        mailed = self._mailed.get(delivery.message_id)
        is_open = delivery.state in ("pending", "claimed")
        if mailed is None and not is_open:
            return
        at = self.known.final.at if mailed is None else mailed
        messages, lost = self._find_span(notification), find_lost(delivery)
        due = self._find_due(notification.recipient, messages, lost, at)
        if due == inf or self._is_put_off(notification) or (is_open and at <= due):
            return
        latest = self._times.latest(due, lost or 0.0)
        if at > latest and self._is_spared(messages, latest, lost):
            return
        said = "mailed" if mailed is not None else f"still {delivery.state}"
        self._judge(
            due, at, latest, f"{notification.recipient} about {span_of(notification)}: {said}"
        )
        if notification.recipient not in self._were_here:
            took = max(0.0, at - due)
            self.took.append(took)
            if not self._times.is_hurt(due, due + USUALLY_WITHIN):
                self.unhurt.append(took)

    def _judge(self, due: float, at: float, latest: float, what: str) -> None:
        self.seen["hurt"] += latest > due + WITHIN
        self.tally.expect(
            at <= latest,
            f"{what} at {at:.1f} s, due at {due:.1f} s: {at - latest:.1f} s too late",
        )

    def _find_due(
        self, person: int, messages: list[StoredMessage], lost: float | None, at: float
    ) -> float:
        """Infinite for who was connected then, or is not known to have been owed it."""
        gone = self.known.last_socket[person] if person in self._were_here else 0.0
        if at < gone or person in self.known.standing.deactivated:
            return inf
        due = self._times.find_due(person, messages, lost or 0.0)
        return max(due, gone + AWAY_SECONDS) if gone else due

    def _find_span(self, notification: Notification) -> list[StoredMessage]:
        conversation = self.known.conversations.get(notification.key)
        messages = conversation.messages if conversation else []
        return messages[notification.first - 1 : notification.last]

    def _is_put_off(self, notification: Notification) -> bool:
        """Whether it was brought forward, which is judged by itself."""
        place = (notification.recipient, notification.key)
        return place in self._put_off and notification is self._bursts[place][-1]

    def _is_spared(self, messages: list[StoredMessage], latest: float, lost: float | None) -> bool:
        if self._times.may_be_by_a_clock(messages, latest):
            self.seen["clock"] += 1
            return True
        self.seen["unknown"] += lost is None
        return lost is None

    # --- At the end -----------------------------------------------------------------------------

    def _check_look(self, conversation: Conversation, place: Place) -> None:
        """Whoever is connected is looked at too, and then not mailed."""
        bursts = self._bursts.get((place.user, conversation.id), ())
        told = max((each.last for each in bursts), default=0)
        messages, at = conversation.messages[told:], self.known.final.at
        due = self._times.find_due(place.user, messages)
        if due == inf or at <= due or place.user in self.known.standing.deactivated:
            return
        latest = self._times.latest(due)
        if at <= latest or not self._is_spared(messages, latest, 0.0):
            what = f"{place.user}: a look at {short(conversation.id)} that is still to come"
            self._judge(due, at, latest, what)

    def _explain(self, row: PutOff) -> str:
        """What is wrong with what was put off for so long; empty when there is a reason."""
        bursts = self._bursts.get((row.recipient, row.key), ())
        messages = self._find_span(bursts[-1]) if bursts else []
        since = min((find_times(self.known, each)[0] for each in messages), default=0.0)
        if self._times.may_be_by_a_clock(messages, self.known.final.at):
            return ""
        if row.what != "mail" or not row.attempts:
            return "and no clock was wrong"
        if not self._times.is_hurt(since, self.known.final.at):
            return "and nothing was hurt"
        is_too_long = row.due_in > back_off(row.attempts) + SLACK
        return f"after {row.attempts} failures" if is_too_long else ""

    def _write_note(self) -> None:
        note, took = "", sorted(self.took)
        if took:
            note = f"{len(took)} mails to people who were never here, half of them within"
            note += f" {median(took):.0f} s of when they were due, 99 of 100 within"
            note += f" {took[int(len(took) * 0.99)]:.0f} s, the last after {took[-1]:.0f} s"
        if self.unhurt:
            note += (
                f"; with nothing hurt {len(self.unhurt)}, half within {median(self.unhurt):.0f} s"
            )
        if self.seen["hurt"]:
            note += f"; {self.seen['hurt']} mails and looks were given time for a fault"
        if self.seen["clock"]:
            note += f"; {self.seen['clock']} were put off by a wrong clock"
        if self.seen["unknown"]:
            note += f"; of {self.seen['unknown']} is not known how often they were tried"
        forward = self.known.outcome.get("brought_forward")
        if forward:
            note += f"; {forward} were brought forward at the end"
        self.tally.note = note.removeprefix("; ")
