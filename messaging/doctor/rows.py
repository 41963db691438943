"""Rows of conversations that wait for longer than anything should."""

from collections.abc import Iterator
from datetime import timedelta

from django.core.checks import CheckMessage
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from messaging.models import Participant
from notifications.findings import fine, wrong

# A claim holds for 60 s; what is later than a few of them is looked at by nobody.
OVERDUE = timedelta(minutes=5)


def ask_overdue() -> Iterator[CheckMessage]:
    count = Participant.objects.filter(notify_at__lt=timezone.now() - OVERDUE).count()
    if not count:
        yield fine(_("Nobody waits to be told about messages for longer than they should."))
        return
    yield wrong(
        ngettext(
            "%(count)d person should have been told about new messages minutes ago.",
            "%(count)d people should have been told about new messages minutes ago.",
            count,
        )
        % {"count": count},
        _("Look at the log of the worker: “Notifying” names whom it fails for. Is it running?"),
    )
