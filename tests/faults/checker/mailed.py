"""I8: what was to be mailed, and the mails."""

from collections import Counter
from math import inf

from tests.faults.checker.known import Known, short
from tests.faults.checker.mail_times import (
    CAP_SECONDS,
    GRACE_SECONDS,
    MailTimes,
    find_times,
    holds_mail,
)
from tests.faults.checker.texts import Texts
from tests.faults.checker.told import span_of
from tests.faults.checker.verdicts import Tally
from tests.faults.final_state import Delivery, Mail, Notification

# Nobody is shown as here for longer after their last sign of life (protocol.md).
PRESENCE_SECONDS = 60.0
# Whoever is connected is looked at again after so long, and not mailed meanwhile.
LOOK_AGAIN_SECONDS = 15.0
AWAY_SECONDS = PRESENCE_SECONDS + LOOK_AGAIN_SECONDS
# At most so many of the mails of a run without faults may come twice.
REPEATED_SHARE = 0.001


class Mailed:
    """I8: whoever is away gets their mail, and no mail comes twice as if it were two.

    Every delivery that says it was sent is in the mail server, to its recipient's address, and
    holds something of its span that somebody else wrote, and nothing of another conversation. One
    that was dropped was dropped because everything in it was read or deleted, or because its
    recipient had muted the conversation, was blocked, had left or was deactivated, which is to be
    seen in the history: between its last message and the last moment at which the next burst can
    have begun. One that failed for good was refused for good by the mail server. None to somebody
    who has had no socket for longer than presence lasts is left when all are said to be mailed.

    Every mail in the mail server carries the Message-ID of a delivery to that person, so a repeat
    is recognised; repeats are allowed where the mail server said nothing, or a worker, the database
    or the way between them was hurt; else they are below 0.1 %.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I8", "deliveries")
        self.repeated = self.unexplained = self.unproved = 0
        self._failed: Counter[int] = Counter()

    def finish(self) -> None:
        self._texts, self._times = Texts(self.known), MailTimes(self.known)
        self._index_bursts()
        mails: dict[str, list[Mail]] = {}
        for mail in self.known.final.mails:
            mails.setdefault(mail.message_id, []).append(mail)
        owners: dict[str, tuple[Notification, Delivery]] = {}
        for notification in self.known.final.notifications:
            for delivery in notification.deliveries:
                owners[delivery.message_id] = (notification, delivery)
                self._check_delivery(notification, delivery, mails)
        for message_id, found in mails.items():
            self._check_mails(message_id, found, owners.get(message_id))
        self._judge_repeats()
        self._judge_refusals()
        if self.known.outcome.get("everybody_mailed") is False:
            self.tally.break_("people who were away were still owed a mail when the run ended")
        self._write_note()

    def _index_bursts(self) -> None:
        """What each person was told of each conversation, in its order."""
        self._bursts: dict[tuple[int, str], list[Notification]] = {}
        for notification in self.known.final.notifications:
            place = (notification.recipient, notification.key)
            self._bursts.setdefault(place, []).append(notification)
        for bursts in self._bursts.values():
            bursts.sort(key=lambda notification: notification.first)

    # --- Deliveries -----------------------------------------------------------------------------

    def _check_delivery(
        self, notification: Notification, delivery: Delivery, mails: dict[str, list[Mail]]
    ) -> None:
        where = f"{notification.recipient} about {span_of(notification)}"
        if delivery.state == "sent":
            is_there = delivery.message_id in mails
            self.tally.expect(is_there, f"{where}: said to be mailed, and is not")
        elif delivery.state == "cancelled":
            problem = self._explain_dropped(notification, delivery)
            self.tally.expect(not problem, f"{where}: dropped as “{delivery.why}”, {problem}")
        elif delivery.state == "failed":
            self.tally.count()
            if delivery.why == "refused":
                self._failed[notification.recipient] += 1
            else:
                self.tally.break_(f"{where}: given up, {delivery.why or 'for no reason'}")
        else:
            self._check_open(notification, delivery, where)

    def _explain_dropped(self, notification: Notification, delivery: Delivery) -> str:
        """What is wrong with a mail that was never sent; empty when there is a reason."""
        person, key, why = notification.recipient, notification.key, delivery.why
        conversation = self.known.conversations.get(key)
        place = conversation.places.get(person) if conversation else None
        standing = self.known.standing
        if why in ("read", "nothing_new"):
            unread = [
                message
                for message in (conversation.messages if conversation else [])
                if notification.first <= message.sequence <= notification.last
                and message.sender != person
                and not message.deleted
                and (place is None or message.sequence > place.read_sequence)
            ]
            return f"which #{unread[0].sequence} is not" if unread else ""
        since, until = self._find_time(notification)
        is_muted = place is None or place.muted
        is_so = {
            "muted": standing.marks["mute"].may_be_on(
                (person, key), since, until, is_on_at_the_end=is_muted
            ),
            "blocked": conversation is not None
            and standing.may_be_blocked(conversation, person, since, until),
            "left": standing.may_have_left(person, key, since, until),
            "gone": conversation is None or place is None,
            "no_account": person in standing.deactivated
            and standing.deactivated[person][0] <= until,
            "no_address": not self.known.final.people.get(person),
        }
        if not why:
            self.unproved += 1
            return ""
        return "" if is_so.get(why) else "which is not so"

    def _find_time(self, notification: Notification) -> tuple[float, float]:
        """When it can have been dropped: not before its last message was sent; and the next burst
        begins when this one is done with, when its own last message is due at the latest."""
        stored = self.known.by_sequence.get(notification.key, {})
        began, _ = find_times(self.known, stored.get(notification.last))
        bursts = self._bursts[notification.recipient, notification.key]
        later = [each for each in bursts if each.first > notification.last]
        last = stored.get(later[0].last) if later else None
        until = self._times.latest(find_times(self.known, last)[1] + CAP_SECONDS)
        is_by_a_clock = last is not None and self._times.may_be_by_a_clock([last], until)
        return began, inf if is_by_a_clock else until

    def _check_open(self, notification: Notification, delivery: Delivery, where: str) -> None:
        """Neither sent nor dropped: whoever is connected is not mailed. When the others are mailed
        is judged by itself (mailed_in_time.py)."""
        gone = self.known.last_socket.get(notification.recipient, 0.0)
        if gone == inf or (gone and self.known.final.at < gone + AWAY_SECONDS):
            return
        self.tally.count()
        if self.known.outcome.get("everybody_mailed"):
            self.tally.break_(f"{where}: {delivery.state} although everybody is said to be mailed")

    # --- Mails ----------------------------------------------------------------------------------

    def _check_mails(
        self, message_id: str, found: list[Mail], owner: tuple[Notification, Delivery] | None
    ) -> None:
        self.tally.count(len(found))
        if owner is None:
            self.tally.break_(f"a mail to {found[0].to} belongs to no delivery: {message_id}")
            return
        notification, delivery = owner
        address = self.known.final.people.get(notification.recipient)
        if any(mail.to != address for mail in found):
            whose = f"the mail {message_id} of {notification.recipient}"
            self.tally.break_(f"{whose} went to another address")
        for mail in found:
            problem = self._compare_text(mail, notification, delivery)
            if problem:
                where = f"{notification.recipient} about {span_of(notification)}"
                self.tally.break_(f"{where}, mailed at {mail.at:.1f} s: {problem}")
        if len(found) > 1:
            self.repeated += len(found) - 1
            self._excuse(found)

    def _compare_text(self, mail: Mail, notification: Notification, delivery: Delivery) -> str:
        """What is wrong with what a mail says; empty when nothing is."""
        told = self._texts.find(mail.text)
        for conversation, sequence in told:
            if conversation != notification.key:
                return f"it tells of #{sequence} of {short(conversation)}"
            if delivery.state == "sent" and sequence > notification.last:
                return f"it tells of #{sequence}"
        stored = self.known.by_sequence.get(notification.key, {})
        news = [
            sequence
            for _, sequence in told
            if sequence >= notification.first
            and sequence in stored
            and stored[sequence].sender != notification.recipient
        ]
        return "" if news else "it tells nothing of what it is about"

    def _excuse(self, found: list[Mail]) -> None:
        """A repeat needs a reason between the first time and the second."""
        first, last = found[0], found[-1]
        hurt = self.known.overlapping(first.at - GRACE_SECONDS, last.at)
        if not first.fault and not any(holds_mail(fault) for fault in hurt):
            self.unexplained += len(found) - 1

    def _judge_repeats(self) -> None:
        if self.unexplained > REPEATED_SHARE * len(self.known.final.mails):
            self.tally.break_(f"{self.unexplained} mails came twice without any reason")

    def _judge_refusals(self) -> None:
        """Nobody has more deliveries given up than the mail server refused for good."""
        refusals = self.known.final.refusals
        if refusals is None:
            self.unproved += sum(self._failed.values())
            return
        refused = Counter(refusal.to for refusal in refusals if refusal.permanent)
        for person, count in self._failed.items():
            known = refused[self.known.final.people.get(person, "")]
            if count > known:
                what = f"{count} mails given up, {known} refused by the mail server"
                self.tally.break_(f"{person}: {what}")

    def _write_note(self) -> None:
        note = f"{len(self.known.final.mails)} mails, {self.repeated} of them repeats"
        if self.unproved:
            note += f", of {self.unproved} dropped or given up the reason was not checked"
        self.tally.note = note
