"""I7 and I9: who is told by notice and by mail, how often, and about what."""

from bisect import bisect_right
from itertools import pairwise
from math import inf

from tests.faults.checker.known import Known, short
from tests.faults.checker.mail_times import (
    CAP_SECONDS,
    GRACE_SECONDS,
    MailTimes,
    find_times,
    was_held,
)
from tests.faults.checker.reading import Operation
from tests.faults.checker.verdicts import Tally
from tests.faults.final_state import Conversation, Mail, Notification, Place, StoredMessage

# After delay and cap: how late a notice may be once everything is healed.
NOTICE_SECONDS = 120.0


class Notified:
    """I7: one Notification per burst and recipient.

    Of one person's notifications about one conversation no two spans overlap, and each has exactly
    one delivery by mail. Each message of somebody else is in exactly one of their spans, unless
    they may have muted the conversation when it came, or left it between then and the last moment
    for a look at who is owed a notice of it, or that look is not yet 120 s overdue. A span that was
    not dropped holds somebody else's message: nobody is told of their own. One that was dropped as
    read holds nothing but what they had read.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I7", "bursts")

    def finish(self) -> None:
        self._times = MailTimes(self.known)
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
                if not place.left:
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
            if self._is_unwanted(place, message):
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

    def _is_unwanted(self, place: Place, message: StoredMessage) -> bool:
        """Whether it may have come while they had muted the conversation, or they may have left
        before the look at it, which a wrong clock may have put off for long."""
        began, ended = find_times(self.known, message)
        key, standing = (place.user, message.conversation), self.known.standing
        if standing.marks["mute"].may_be_on(key, began, ended):
            return True
        if not standing.leaves.was_on(key):
            return False
        latest = self._times.latest(ended + CAP_SECONDS)
        is_by_a_clock = self._times.may_be_by_a_clock([message], latest)
        return standing.may_have_left(*key, began, inf if is_by_a_clock else latest)

    def _is_overdue(self, key: str | None) -> bool:
        attempts = self.known.attempts.get(key or "")
        known_at = attempts.first_ok if attempts else inf
        due = max(known_at + CAP_SECONDS, self.known.healed_at)
        return self.known.final.at > due + NOTICE_SECONDS


class ReadMail:
    """I9: no mail about nothing but what its recipient had read.

    No mail comes later than 5 s after every message of somebody else in its span was read over
    HTTP, unless it was decided on before and a fault held it, its worker, the database or Redis:
    one that overlaps the time from 5 s before that, and before the newest of these messages, until
    the mail, which comes 60 s after the reading at the latest. Counted are the bursts that were
    read and dropped for that, and the mails that came too late.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I9")
        self._reads: dict[tuple[int, str], list[tuple[float, int]]] = {}
        self._held = 0

    def ended_read(self, operation: Operation) -> None:
        if operation.state == "ok":
            place = (operation.asked["person"], operation.asked["conversation"])
            read = (operation.ended, operation.asked["sequence"])
            self._reads.setdefault(place, []).append(read)

    def finish(self) -> None:
        mails: dict[str, list[Mail]] = {}
        for mail in self.known.final.mails:
            mails.setdefault(mail.message_id, []).append(mail)
        for notification in self.known.final.notifications:
            for delivery in notification.deliveries:
                found = mails.get(delivery.message_id, [])
                for mail in found:
                    self._check(mail, notification)
                if delivery.why == "read" and not found:
                    self._count_dropped(notification)
        if self._held:
            self.tally.note = f"{self._held} mails about what had been read were held by a fault"

    def _check(self, mail: Mail, notification: Notification) -> None:
        newest = find_newest(mail, notification, self.known)
        since = self._find_read(notification, newest.sequence if newest else notification.last)
        if mail.at - since <= GRACE_SECONDS:
            return
        began, _ = find_times(self.known, newest)
        if was_held(self.known, since=since, newest=began, at=mail.at):
            self._held += 1
            return
        self.tally.expect(
            False,
            f"{notification.recipient} was mailed at {mail.at:.1f} s about"
            f" {span_of(notification)}, read since {since:.1f} s",
        )

    def _count_dropped(self, notification: Notification) -> None:
        newest = find_newest(None, notification, self.known)
        if newest is not None and self._find_read(notification, newest.sequence) < inf:
            self.tally.count()

    def _find_read(self, notification: Notification, sequence: int) -> float:
        """Since when they are known to have read up to there; infinite if they are not."""
        reads = self._reads.get((notification.recipient, notification.key), ())
        return min((at for at, read in reads if read >= sequence), default=inf)


def find_newest(
    mail: Mail | None, notification: Notification, known: Known
) -> StoredMessage | None:
    """The latest message of somebody else that a mail about this, or this one, can be about."""
    conversation = known.conversations.get(notification.key)
    span = conversation.messages[notification.first - 1 : notification.last] if conversation else []
    others = [m for m in span if m.sender != notification.recipient and not m.deleted]
    if mail is not None:  # What came after it has joined the burst for another attempt.
        others = [m for m in others if find_times(known, m)[0] <= mail.at] or others
    return others[-1] if others else None


def span_of(notification: Notification) -> str:
    return f"#{notification.first}–{notification.last} of {short(notification.key)}"
