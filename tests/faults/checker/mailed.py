"""I8: what was to be mailed, and the mails."""

import re
from collections import Counter
from math import inf

from tests.faults.checker.known import Known, short
from tests.faults.checker.told import (
    CAP_SECONDS,
    GRACE_SECONDS,
    MAIL_SECONDS,
    delays_mail,
    span_of,
)
from tests.faults.checker.verdicts import Tally
from tests.faults.final_state import Delivery, Mail, Notification

# Nobody is shown as here for longer after their last sign of life (protocol.md).
PRESENCE_SECONDS = 60.0
# Whoever is connected is looked at again after so long, and not mailed meanwhile.
LOOK_AGAIN_SECONDS = 15.0
AWAY_SECONDS = PRESENCE_SECONDS + LOOK_AGAIN_SECONDS
# At most so many of the mails of a run without faults may come twice.
REPEATED_SHARE = 0.001
# What is put off for longer is not waited for at the end of a run.
SOON_SECONDS = 90.0
HEAD = re.compile(r"\b\d+ \d+ (?:[0-9a-f-]{36}|[a-z0-9-]+)(?=\|)")


class Mailed:
    """I8: whoever is away gets their mail, and no mail comes twice as if it were two.

    Every delivery that says it was sent is in the mail server, to its recipient's address, and
    holds something of its span that somebody else wrote, and nothing of another conversation. One
    that was dropped was dropped because everything in it was read or deleted, or because its
    recipient had muted the conversation, was blocked, had left or was deactivated, which is to be
    seen in the history. One that failed for good was refused for good by the mail server. A
    delivery to somebody who has had no socket for longer than presence lasts is none of those only
    until 120 s after the last message's cap and after healing; what is put off for longer because a
    clock was wrong or mails had failed before is counted.

    Every mail in the mail server carries the Message-ID of a delivery to that person, so a repeat
    is recognised; repeats are allowed where the mail server said nothing, or a worker, the database
    or the way between them was hurt; else they are below 0.1 %.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I8")
        self.repeated = self.unexplained = self.put_off = self.unproved = 0
        self._failed: Counter[int] = Counter()
        self._heads: dict[str, tuple[str, int]] = {}

    def finish(self) -> None:
        self._index_heads()
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

    def _index_heads(self) -> None:
        """Which message every text belongs to, by its beginning: its first and its later ones."""
        for attempts in self.known.attempts.values():
            self._heads.setdefault(_head_of(attempts.body), (attempts.conversation, 0))
        for (person, key), message in self.known.by_key.items():
            tried = self.known.attempts.get(key)
            if tried is not None and tried.person == person:
                place = (message.conversation, message.sequence)
                self._heads[_head_of(tried.body)] = place
        for place, changes in self.known.changes.items():
            for change in changes:
                if change.body:
                    self._heads[_head_of(change.body)] = place

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
        is_so = {
            "muted": standing.marks["mute"].may_be_on((person, key), 0.0, inf),
            "blocked": conversation is not None
            and standing.may_be_blocked(conversation, person, 0.0, inf),
            "left": standing.may_have_left(person, key, 0.0, inf),
            "gone": conversation is None or place is None,
            "no_account": person in standing.deactivated,
            "no_address": not self.known.final.people.get(person),
        }
        if not why:
            self.unproved += 1
            return ""
        return "" if is_so.get(why) else "which is not so"

    def _check_open(self, notification: Notification, delivery: Delivery, where: str) -> None:
        """Neither sent nor dropped: whoever is connected is not mailed, the others soon."""
        gone = self.known.last_socket.get(notification.recipient, 0.0)
        if gone == inf or (gone and self.known.final.at < gone + AWAY_SECONDS):
            return
        self.tally.count()
        if self._is_put_off(delivery):
            self.put_off += 1
        elif self.known.outcome.get("everybody_mailed") or self._is_late(notification, gone):
            self.tally.break_(f"{where}: {delivery.state} although they have been away for long")

    def _is_put_off(self, delivery: Delivery) -> bool:
        if delivery.due_in is None or delivery.due_in <= SOON_SECONDS:
            return False
        whats = {fault.what for fault in self.known.faults}
        hurt = any(delays_mail(fault.what, fault.target) for fault in self.known.faults)
        return "clock" in whats or ("retrying" in delivery.reasons and hurt)

    def _is_late(self, notification: Notification, gone: float) -> bool:
        conversation = self.known.conversations.get(notification.key)
        last = conversation.messages[notification.last - 1] if conversation else None
        attempts = self.known.attempts.get((last.key if last else None) or "")
        told = attempts.first_ok if attempts and attempts.first_ok < inf else 0.0
        gone += AWAY_SECONDS if gone else 0.0
        due = max(told + CAP_SECONDS, gone, self.known.healed_at)
        return self.known.final.at > due + MAIL_SECONDS

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
        told = [self._heads[head] for head in HEAD.findall(mail.text) if head in self._heads]
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
        if not first.fault and not any(delays_mail(fault.what, fault.target) for fault in hurt):
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
        if self.put_off:
            note += f", {self.put_off} put off for long after a wrong clock or failures"
        if self.unproved:
            note += f", of {self.unproved} dropped or given up the reason was not checked"
        self.tally.note = note


def _head_of(body: str) -> str:
    return body.partition("|")[0]
