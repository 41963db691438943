"""Whether mails leave: worker, beat, and deliveries that do not get on.

For `messaging_doctor`; each question gives findings.
"""

from collections.abc import Iterator
from datetime import timedelta

from celery import current_app
from django.core.checks import CheckMessage
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications.figures import FAILED_WITHIN
from notifications.findings import doubtful, fine, wrong
from notifications.models import Delivery, LastRun
from notifications.selectors import open_deliveries

PING_SECONDS = 1.5
# The sweep comes every 5 s; a worker that restarts leaves out a few.
SWEEP_LATE = timedelta(seconds=30)
# After its lease a claimed delivery is taken again within seconds, if anybody takes anything.
STUCK_AFTER = timedelta(minutes=5)


def ask_worker() -> Iterator[CheckMessage]:
    try:
        workers = current_app.control.ping(timeout=PING_SECONDS)
    except Exception:
        yield wrong(
            _("The worker could not be asked, because the broker does not answer."),
            _("Start the broker. What is due meanwhile is sent afterwards."),
        )
        return
    names = ", ".join(sorted(name for answer in workers or [] for name in answer))
    if names:
        yield fine(_("These workers answer: %(names)s.") % {"names": names})
    else:
        yield wrong(
            _("No worker answers: no mail leaves, and nobody away hears of new messages."),
            _("Start one: celery -A celery_app worker --pool threads --concurrency 4."),
        )


def ask_beat() -> Iterator[CheckMessage]:
    """The task that the beat asks for every 5 s leaves its time in the database."""
    last = LastRun.objects.filter(name=LastRun.SWEEP).values_list("at", flat=True).first()
    advice = _("Start one beat (celery -A celery_app beat). If it runs, look at the worker's log.")
    if last is None:
        yield wrong(_("The beat's task has never run: nothing is looked for that is due."), advice)
        return
    age = timezone.now() - last
    seconds = {"seconds": max(0, round(age.total_seconds()))}
    if age > SWEEP_LATE:
        sentence = _("The beat's task has last run %(seconds)d seconds ago; it should every 5.")
        yield wrong(sentence % seconds, advice)
    else:
        yield fine(_("The beat's task has last run %(seconds)d seconds ago.") % seconds)


def ask_deliveries() -> Iterator[CheckMessage]:
    now = timezone.now()
    late = open_deliveries().filter(due_at__lt=now - STUCK_AFTER)
    stuck = late.filter(claimed_until__lt=now - STUCK_AFTER).count()
    waiting = late.filter(claimed_until__isnull=True).count()
    failed = Delivery.objects.filter(
        state=Delivery.State.FAILED, due_at__gt=now - FAILED_WITHIN
    ).count()
    found = [*_judge_stuck(stuck), *_judge_waiting(waiting), *_judge_failed(failed)]
    yield from found or [fine(_("No delivery is stuck, and none has failed within a day."))]


def _judge_stuck(count: int) -> Iterator[CheckMessage]:
    if count:
        yield wrong(
            ngettext(
                "%(count)d delivery was taken by a worker that never came back.",
                "%(count)d deliveries were taken by workers that never came back.",
                count,
            )
            % {"count": count},
            _("They are taken again by themselves once beat and worker run."),
        )


def _judge_waiting(count: int) -> Iterator[CheckMessage]:
    if count:
        yield wrong(
            ngettext(
                "%(count)d delivery has been due for minutes and nobody takes it.",
                "%(count)d deliveries have been due for minutes and nobody takes them.",
                count,
            )
            % {"count": count},
            _("Start beat and worker; with many, start further workers."),
        )


def _judge_failed(count: int) -> Iterator[CheckMessage]:
    if count:
        yield doubtful(
            ngettext(
                "%(count)d delivery was given up within a day.",
                "%(count)d deliveries were given up within a day.",
                count,
            )
            % {"count": count},
            _("Look at them in the admin, under Deliveries: each says in its trail why."),
        )
