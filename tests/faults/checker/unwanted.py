"""I7: no notice and no mail for whoever wanted none."""

from bisect import bisect_right
from collections.abc import Iterable

from tests.faults.checker.known import Known, short
from tests.faults.checker.standing import Span
from tests.faults.checker.told import CAP_SECONDS, GRACE_SECONDS, delays_mail, span_of
from tests.faults.checker.verdicts import Tally
from tests.faults.final_state import Conversation, Mail, Notification


class Unwanted:
    """I7: none for the muted, the blocked and the deactivated. From 5 s after a conversation was
    muted, its other side blocked in either direction, or an account deactivated, and as long as
    nobody began to take that back, no mail about it comes, unless a fault held it back. No notice
    that was not dropped is about nothing but messages that came, with time to be told of, while the
    conversation was muted.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I7", "muted, blocked, deactivated")

    def finish(self) -> None:
        mails: dict[str, list[Mail]] = {}
        for mail in self.known.final.mails:
            mails.setdefault(mail.message_id, []).append(mail)
        for notification in self.known.final.notifications:
            conversation = self.known.conversations.get(notification.key)
            if conversation is None:
                continue
            self._look_for_muted(notification, conversation)
            found = [m for d in notification.deliveries for m in mails.get(d.message_id, ())]
            for why, span in self._find_quiet(notification, conversation):
                for mail in found:
                    self._compare(notification, mail, why, span)
        self._count_silence()

    def _find_quiet(
        self, notification: Notification, conversation: Conversation
    ) -> Iterable[tuple[str, Span]]:
        standing, person = self.known.standing, notification.recipient
        for span in standing.marks["mute"].certain((person, conversation.id)):
            yield "had muted it", span
        for pair in standing.pairs(conversation, person):
            for span in standing.blocks.certain(pair):
                yield "was blocked or had blocked", span
        if person in standing.deactivated:
            yield "was deactivated", (standing.deactivated[person][1], float("inf"))

    def _compare(self, notification: Notification, mail: Mail, why: str, span: Span) -> None:
        began, ended = span
        self.tally.count()
        if not began + GRACE_SECONDS < mail.at < ended:
            return
        hurt = self.known.overlapping(began - GRACE_SECONDS, mail.at)
        if not any(delays_mail(fault.what, fault.target) for fault in hurt):
            self.tally.break_(
                f"{notification.recipient} {why} since {began:.1f} s and was mailed at"
                f" {mail.at:.1f} s about {span_of(notification)}"
            )

    def _look_for_muted(self, notification: Notification, conversation: Conversation) -> None:
        mutes = self.known.standing.marks["mute"]
        spans = mutes.certain((notification.recipient, conversation.id))
        if not spans:
            return
        others = [
            message
            for message in conversation.messages[notification.first - 1 : notification.last]
            if message.sender != notification.recipient
        ]
        self.tally.count()
        if notification.cancelled or not others:
            return
        for span in spans:
            if all(self._came_within(message.key, span) for message in others):
                self.tally.break_(
                    f"{notification.recipient} had muted {short(conversation.id)} since"
                    f" {span[0]:.1f} s and has a notice of {span_of(notification)}"
                )

    def _came_within(self, key: str | None, span: Span) -> bool:
        attempts = self.known.attempts.get(key or "")
        if attempts is None:
            return False
        is_over = attempts.first_ok + CAP_SECONDS + GRACE_SECONDS <= span[1]
        return attempts.first_began >= span[0] and is_over

    def _count_silence(self) -> None:
        """Messages that came while they were certain to cause no notice."""
        for (person, key), _ in self.known.standing.marks["mute"].all.items():
            conversation = self.known.conversations.get(key)
            told = sorted(
                attempts.first_ok
                for message in (conversation.messages if conversation else ())
                if message.sender != person
                and (attempts := self.known.attempts.get(message.key or "")) is not None
            )
            for began, ended in self.known.standing.marks["mute"].certain((person, key)):
                self.tally.count(max(0, bisect_right(told, ended) - bisect_right(told, began)))
