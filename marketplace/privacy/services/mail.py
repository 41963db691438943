"""The mail that says where the copy is. It holds a link and nothing of the data."""

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException
from urllib.parse import urljoin
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from marketplace.privacy.models import DataExport
from notifications.recipients import language_of, time_zone_of, verified_address

logger = logging.getLogger(__name__)

TEMPLATES = "privacy/email/export_ready"
# A mail server that is down is asked again after so long, until the copy is removed.
TRIED_EVERY = timedelta(minutes=2)


def unmailed_exports(*, now: datetime) -> QuerySet[DataExport]:
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    return DataExport.objects.filter(
        free, state=DataExport.State.READY, mailed_at__isnull=True, expires_at__gt=now
    )


def mail_export(*, export_id: UUID) -> None:
    """Tell the owner, once: at least once, if this process dies between sending and noting it."""
    now = timezone.now()
    claimed = unmailed_exports(now=now).filter(pk=export_id)
    if not claimed.update(claimed_until=now + TRIED_EVERY):
        return
    export = DataExport.objects.select_related("user").get(pk=export_id)
    address = verified_address(export.user)
    try:
        if address:
            compose(export, address).send()
    except (OSError, SMTPException) as error:
        logger.error("The mail about export %s: %s", export.pk, type(error).__name__)
        return
    DataExport.objects.filter(pk=export_id).update(mailed_at=timezone.now(), claimed_until=None)


def compose(export: DataExport, address: str) -> EmailMultiAlternatives:
    """In the owner's language and time zone."""
    path = reverse("privacy:export")
    context = {"url": urljoin(f"{settings.SITE_URL}/", path), "expires_at": export.expires_at}
    with (
        translation.override(language_of(export.user)),
        timezone.override(time_zone_of(export.user)),
    ):
        message = EmailMultiAlternatives(
            subject=render_to_string(f"{TEMPLATES}_subject.txt", context).strip(),
            body=render_to_string(f"{TEMPLATES}_message.txt", context).strip() + "\n",
            to=[address],
            headers={"Auto-Submitted": "auto-generated"},
        )
        html = render_to_string(f"{TEMPLATES}_message.html", context)
    message.attach_alternative(html, "text/html")
    return message
