"""How late a mail may be: by the product's own times, and by what was hurt meanwhile."""

from bisect import bisect_left
from collections.abc import Iterable
from math import inf

from tests.faults.checker.known import Fault, Known
from tests.faults.checker.windows import HARMLESS, join
from tests.faults.final_state import Delivery, StoredMessage

# A campaign's NOTIFY_CAP_SECONDS: a mail is due so long after the first message of its burst.
CAP_SECONDS = 6.0
GRACE_SECONDS = 5.0
# What is due leaves within 15 s (operations.md), half of it at least. No mail is later than a
# worker may keep it to itself.
USUALLY_WITHIN, WITHIN = 15.0, 120.0
# Until a claim lapses that somebody died with: of a look at who is owed something, and of a mail.
LOOK_LOST, MAIL_LOST = 60.0, 120.0
# After a failure a mail is tried again after 10 s, twice as long each time; and found by a sweep.
FIRST_RETRY, LONGEST_RETRY, AGAIN = 10.0, 3600.0, 15.0
# Workers may take so long to find their way back to what was hurt.
RECOVERS = 15.0
# A mail that was decided on leaves within so long: a task's longest time.
HELD_SECONDS = 60.0
HOLDING = ("pause", "blackhole", "slow", "swallow", "cut", "mail_fault", "kill", "restart")
ALSO_HOLDING = ("clock", "failpoint", "stop_politely", "disk_full")
NEEDED = ("worker", "mail", "database", "redis")


class MailTimes:
    """Asked when the whole history has been read."""

    def __init__(self, known: Known) -> None:
        self.known = known
        faults = [fault for fault in known.faults if puts_mail_off(fault)]
        self.starts, self.ends = join((each.began, each.ended + RECOVERS) for each in faults)
        clocks = [fault for fault in known.faults if fault.what == "clock"]
        self.clocks_of_webs = [each for each in clocks if each.target.startswith("web")]
        self.clocks_of_workers = [each for each in clocks if each.target.startswith("worker")]

    def latest(self, due: float, lost: float = LOOK_LOST) -> float:
        """The last moment at which a mail that was due then may come. The time in which something
        was hurt that mails need is not counted; and `lost`, what such a fault may leave behind, is
        granted once, if there was one before the mail had to be there."""
        left, position, was_hurt = WITHIN, due, False
        for number in range(bisect_left(self.ends, due), len(self.ends)):
            quiet = max(0.0, self.starts[number] - position)
            if quiet > left:
                break
            left -= quiet
            if not was_hurt:
                was_hurt, left = True, left + lost
            position = max(position, self.ends[number])
        return position + left

    def find_due(
        self, person: int, messages: Iterable[StoredMessage], lost: float = LOOK_LOST
    ) -> float:
        """When the first of these messages had to be mailed to this person, of those of somebody
        else that were stored for certain while they took part and had not muted it; infinite
        without any. Who leaves before it must be mailed is owed nothing."""
        dues = (self._find_due(person, message, lost) for message in messages)
        return min(dues, default=inf)

    def _find_due(self, person: int, message: StoredMessage, lost: float) -> float:
        began, stored = find_times(self.known, message)
        if stored == inf or message.sender == person or message.kind == "system":
            return inf
        place, standing = (person, message.conversation), self.known.standing
        due = stored + CAP_SECONDS
        is_quiet = standing.marks["mute"].may_be_on(place, began, stored)
        has_left = standing.may_have_left(*place, began, self.latest(due, lost))
        return inf if is_quiet or has_left else due

    def is_hurt(self, began: float, ended: float) -> bool:
        position = bisect_left(self.ends, began)
        return position < len(self.starts) and self.starts[position] <= ended

    def may_be_by_a_clock(self, messages: Iterable[StoredMessage], until: float) -> bool:
        """Whether one that was wrong may have put this off by an hour: a web process's when a
        message was stored, or a worker's from then until it had to be mailed. A beat writes no
        time down."""
        times = (find_times(self.known, message) for message in messages)
        spans = [(began, min(stored, until)) for began, stored in times]
        since = min((began for began, _ in spans), default=inf)
        return any(meets(fault, since, until) for fault in self.clocks_of_workers) or any(
            meets(fault, *span) for fault in self.clocks_of_webs for span in spans
        )


def find_times(known: Known, message: StoredMessage | None) -> tuple[float, float]:
    """Between which moments it was stored, by what people were told; 0 to infinity without."""
    attempts = known.attempts.get((message.key if message else None) or "")
    return (attempts.first_began, attempts.first_ok) if attempts else (0.0, inf)


def find_lost(delivery: Delivery) -> float | None:
    """How long a fault may have left this one lying: a look, and what each of its attempts but the
    last cost. None where nobody wrote down how often it was tried."""
    if delivery.attempts is None:
        return None if "retrying" in delivery.reasons else LOOK_LOST + MAIL_LOST
    earlier = max(0, delivery.attempts - 1)
    failed = sum(back_off(number) + AGAIN for number in range(1, earlier + 1))
    return LOOK_LOST + failed + MAIL_LOST * max(0, earlier - delivery.retries)


def back_off(attempts: int) -> float:
    """Seconds that the product waits after so many failures."""
    return min(FIRST_RETRY * 2.0 ** min(attempts - 1, 30), LONGEST_RETRY)


def puts_mail_off(fault: Fault) -> bool:
    """Whether mails, or the look at who is owed one, may have to wait because of it."""
    return fault.what not in HARMLESS and fault.target.startswith((*NEEDED, "beat"))


def holds_mail(fault: Fault) -> bool:
    """Whether it can keep a worker from finishing a mail that it has decided to send, or from
    writing down that it did."""
    return fault.what in (*HOLDING, *ALSO_HOLDING) and fault.target.startswith(NEEDED)


def was_held(known: Known, *, since: float, newest: float, at: float) -> bool:
    """Whether a mail that came then may have been decided on before `since`, when it became wrong,
    and been held by a fault. `newest`: when the latest message that it can tell of was stored."""
    if at > since + HELD_SECONDS:
        return False
    hurt = known.overlapping(max(since, newest) - GRACE_SECONDS, at)
    return any(holds_mail(fault) for fault in hurt)


def meets(fault: Fault, began: float, ended: float) -> bool:
    return fault.began <= ended and fault.ended >= began
