"""I7: no notice and no mail for whoever wanted none."""

from bisect import bisect_right
from collections.abc import Iterable

from tests.faults.checker.known import Known, short
from tests.faults.checker.mail_times import CAP_SECONDS, GRACE_SECONDS, find_times, was_held
from tests.faults.checker.standing import Span
from tests.faults.checker.texts import Texts
from tests.faults.checker.told import find_newest, span_of
from tests.faults.checker.verdicts import Tally
from tests.faults.final_state import Conversation, Mail, Notification

# Why the product drops what is about these.
DROPPED = ("muted", "blocked", "no_account")


class Unwanted:
    """I7: none for the muted, the blocked and the deactivated. From 5 s after a conversation was
    muted, its other side blocked in either direction, or an account deactivated, and as long as
    nobody began to take that back, no mail about it comes, unless it was decided on before: a fault
    held it, one that overlaps the time from 5 s before, and before the newest message in it, until
    the mail; it comes within 60 s; and it tells of nothing that was sent since. No
    notice that was not dropped is about nothing but messages that came, with time to be told of,
    while the conversation was muted. Counted are the mails that came in such a time, what was
    dropped in one, and the messages of which there was to be no notice.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.tally = Tally("I7", "muted, blocked, deactivated")
        self._held = 0

    def finish(self) -> None:
        self._texts = Texts(self.known)
        mails: dict[str, list[Mail]] = {}
        for mail in self.known.final.mails:
            mails.setdefault(mail.message_id, []).append(mail)
        for notification in self.known.final.notifications:
            conversation = self.known.conversations.get(notification.key)
            if conversation is None:
                continue
            self._look_for_muted(notification, conversation)
            found = [m for d in notification.deliveries for m in mails.get(d.message_id, ())]
            quiet = list(self._find_quiet(notification, conversation))
            for why, span in quiet:
                for mail in found:
                    self._compare(notification, mail, why, span)
            if quiet and any(each.why in DROPPED for each in notification.deliveries):
                self.tally.count()
        self._count_silence()
        if self._held:
            self.tally.note = f"{self._held} mails that nobody wanted any more were held by a fault"

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
        since, ended = span
        if not since + GRACE_SECONDS < mail.at < ended:
            return
        if self._was_held(notification, mail, since):
            self._held += 1
            return
        self.tally.expect(
            False,
            f"{notification.recipient} {why} since {since:.1f} s and was mailed at"
            f" {mail.at:.1f} s about {span_of(notification)}",
        )

    def _was_held(self, notification: Notification, mail: Mail, since: float) -> bool:
        """What a mail tells of was stored before it was decided on."""
        for key, sequence in self._texts.find(mail.text):
            message = self.known.by_sequence.get(key, {}).get(sequence)
            if find_times(self.known, message)[0] > since:
                return False
        newest = find_newest(mail, notification, self.known)
        began, _ = find_times(self.known, newest)
        return was_held(self.known, since=since, newest=began, at=mail.at)

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
