"""I7 and I9: who is told by notice and by mail, how often, and about what."""

from bisect import bisect_right
from itertools import pairwise
from math import inf

from tests.faults.checker.known import Known, short
from tests.faults.checker.reading import Operation
from tests.faults.checker.verdicts import Tally
from tests.faults.final_state import Conversation, Mail, Notification, Place, StoredMessage

# After delay and cap: how late a mail may be once everything is healed.
MAIL_SECONDS = 120.0
CAP_SECONDS = 6.0
GRACE_SECONDS = 5.0
DELAYING = ("pause", "blackhole", "slow", "swallow", "cut", "mail_fault", "kill", "restart")


class Notified:
    """I7: one Notification per burst and recipient.

    Of one person's notifications about one conversation no two spans overlap, and each has exactly
    one delivery by mail. Each message of somebody else is in exactly one of their spans, unless
    they may have muted the conversation when it came, or ever left it, or the look at it is not yet
    120 s overdue. A span that was not dropped holds somebody else's message: nobody is told of
    their own. One that was dropped as read holds nothing but what they had read.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I7", "bursts")

    def finish(self) -> None:
        spans: dict[tuple[int, str], list[Notification]] = {}
        for notification in self.known.final.notifications:
            spans.setdefault((notification.recipient, notification.key), []).append(notification)
        for (recipient, key), found in spans.items():
            conversation = self.known.conversations.get(key)
            self._check_spans(recipient, key, found)
            for notification in found:
                self._check_one(notification, conversation)
        for conversation in self.known.conversations.values():
            for place in conversation.places.values():
                left = self.known.standing.leaves.was_on((place.user, conversation.id))
                if not place.left and not left:
                    found = spans.get((place.user, conversation.id), [])
                    self._check_covered(conversation, place, found)

    def _check_spans(self, recipient: int, key: str, found: list[Notification]) -> None:
        found.sort(key=lambda notification: notification.first)
        for earlier, later in pairwise(found):
            self.tally.count()
            if later.first <= earlier.last:
                self.tally.break_(f"{recipient} has two notices of #{later.first} of {short(key)}")

    def _check_one(self, notification: Notification, conversation: Conversation | None) -> None:
        self.tally.count()
        where = f"{notification.recipient} about {span_of(notification)}"
        if len(notification.deliveries) != 1:
            self.tally.break_(f"{where}: {len(notification.deliveries)} deliveries")
        place = conversation.places.get(notification.recipient) if conversation else None
        if conversation is None or place is None:
            self.tally.break_(f"{where}: they take no part in it")
            return
        others = [
            message
            for message in conversation.messages[notification.first - 1 : notification.last]
            if message.sender != notification.recipient
        ]
        if not notification.cancelled and not others:
            self.tally.break_(f"{where}: nobody else wrote anything")
        reasons = {why for delivery in notification.deliveries for why in delivery.reasons}
        unread = [m for m in others if m.sequence > place.read_sequence and not m.deleted]
        if notification.cancelled and "read" in reasons and unread:
            self.tally.break_(f"{where}: dropped as read, which #{unread[0].sequence} is not")

    def _check_covered(
        self, conversation: Conversation, place: Place, found: list[Notification]
    ) -> None:
        firsts = [notification.first for notification in found]
        for message in conversation.messages:
            if message.sender == place.user or message.kind == "system":
                continue
            if self._is_muted(place, message):
                continue
            if place.waits and not self._is_overdue(message.key):
                continue
            self.tally.count()
            position = bisect_right(firsts, message.sequence) - 1
            if position < 0 or found[position].last < message.sequence:
                self.tally.break_(
                    f"{place.user} has no notice of #{message.sequence} of {short(conversation.id)}"
                )
                return

    def _is_muted(self, place: Place, message: StoredMessage) -> bool:
        """Whether it may have come while they had muted the conversation."""
        attempts = self.known.attempts.get(message.key or "")
        began, ended = (attempts.first_began, attempts.first_ok) if attempts else (0.0, inf)
        mutes = self.known.standing.marks["mute"]
        return mutes.may_be_on((place.user, message.conversation), began, ended)

    def _is_overdue(self, key: str | None) -> bool:
        attempts = self.known.attempts.get(key or "")
        known_at = attempts.first_ok if attempts else inf
        due = max(known_at + CAP_SECONDS, self.known.healed_at)
        return self.known.final.at > due + MAIL_SECONDS


class ReadMail:
    """I9: no mail about nothing but what its recipient had read.

    Every message of somebody else in the mail's span was read over HTTP more than 5 s before the
    end of its DATA, with no fault in between that can have held the mail or its worker back: then
    it should not have been sent.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I9")
        self._reads: dict[tuple[int, str], list[tuple[float, int]]] = {}

    def ended_read(self, operation: Operation) -> None:
        if operation.state == "ok":
            place = (operation.asked["person"], operation.asked["conversation"])
            read = (operation.ended, operation.asked["sequence"])
            self._reads.setdefault(place, []).append(read)

    def finish(self) -> None:
        deliveries = {
            delivery.message_id: notification
            for notification in self.known.final.notifications
            for delivery in notification.deliveries
        }
        for mail in self.known.final.mails:
            notification = deliveries.get(mail.message_id)
            if notification is not None:
                self._check(mail, notification)

    def _check(self, mail: Mail, notification: Notification) -> None:
        self.tally.count()
        last = find_newest(mail, notification, self.known.conversations.get(notification.key))
        reads = self._reads.get((notification.recipient, notification.key), ())
        known_since = min((at for at, sequence in reads if sequence >= last), default=inf)
        if mail.at - known_since <= GRACE_SECONDS:
            return
        hurt = self.known.overlapping(known_since - GRACE_SECONDS, mail.at)
        if not any(delays_mail(fault.what, fault.target) for fault in hurt):
            self.tally.break_(
                f"{notification.recipient} was mailed at {mail.at:.1f} s about"
                f" {span_of(notification)}, read since {known_since:.1f} s"
            )


def find_newest(mail: Mail, notification: Notification, found: Conversation | None) -> int:
    """The latest message of somebody else that this mail can be about."""
    if found is None:
        return notification.last
    span = found.messages[notification.first - 1 : notification.last]
    others = [m.sequence for m in span if m.sender != notification.recipient and not m.deleted]
    return max(others, default=notification.last)


def delays_mail(what: str, target: str) -> bool:
    """Whether a fault can keep a worker from finishing a mail that it has decided to send, or from
    writing down that it did."""
    return what in (*DELAYING, "clock", "failpoint", "stop_politely", "disk_full") and any(
        name in target for name in ("worker", "mail", "database", "redis", "beat")
    )


def span_of(notification: Notification) -> str:
    return f"#{notification.first}–{notification.last} of {short(notification.key)}"
