"""A notification as an e-mail: composed in the recipient's language and time zone, then sent."""

import re
import smtplib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from typing import Any

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from notifications import conf, failpoints
from notifications.models import Delivery, Notification
from notifications.recipients import language_of, time_zone_of
from notifications.sources import Content, ContentMessage
from notifications.text import single_line
from notifications.transports import TransportError

TEMPLATES = "notifications/email"
LONGEST_NAME = 60
# Messages of one person within this time stand under one name and time.
GROUPED_WITHIN = timedelta(minutes=1)
# “Bad destination address” and “mailbox disabled” (RFC 3463). Any other refusal may be the server's
# own trouble, and the recipient is still owed the mail.
NO_SUCH_ADDRESS = re.compile(rb"\s*5\.(1\.\d+|2\.1)\b")

_inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


@dataclass(frozen=True, slots=True)
class Line:
    """A message in a mail; the first of a group shows its name and time."""

    message: ContentMessage
    starts_group: bool


def compose(
    delivery: Delivery, content: Content, *, address: str, subject_title: str
) -> EmailMultiAlternatives:
    """The mail of a delivery. Nothing in it but `address` is an address of a person."""
    notification = delivery.notification
    language = language_of(notification.recipient)
    zone = time_zone_of(notification.recipient)
    with translation.override(language), timezone.override(zone):
        context = _context(notification, content, subject_title)
        template = f"{TEMPLATES}/{notification.kind}"
        message = EmailMultiAlternatives(
            subject=single_line(render_to_string(f"{template}_subject.txt", context)),
            body=tidy(render_to_string(f"{template}.txt", context)),
            from_email=sender(content.other_name),
            to=[address],
            headers=_headers(delivery),
        )
        html = render_to_string(f"{template}.html", context)
    message.attach_alternative(_inliner.inline(html), "text/html")
    return message


def send(message: EmailMultiAlternatives) -> None:
    """Hand the mail to the mail server. Raises TransportError when it will never take it.

    Every other failure, whatever its exception, may be over at the next attempt.
    """
    failpoints.reach("email.sending")
    try:
        taken = message.send()
        failpoints.reach("email.sent")
    except smtplib.SMTPRecipientsRefused as error:
        replies = list(error.recipients.values())
        permanent = all(NO_SUCH_ADDRESS.match(text) for _code, text in replies)
        raise TransportError(permanent=permanent) from None
    if not taken:
        raise TransportError(permanent=False)


def tidy(text: str) -> str:
    """At most one empty line between paragraphs: template tags leave more."""
    return re.sub(r"\n{3,}", "\n\n", text.strip()) + "\n"


def sender(other_name: str) -> str:
    """`"Ana via Trato" <address of the site>`: the other party's address is never told."""
    name = _("%(name)s via %(site)s") % {
        "name": single_line(other_name)[:LONGEST_NAME].strip() or _("Somebody"),
        "site": single_line(conf.site_name()),
    }
    quotable = re.sub(r'[\\"<>]', "", name)
    return f'"{quotable}" <{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}>'


def thread_root(notification: Notification) -> str:
    """The mail that every mail about the same thing answers. It never existed."""
    about = re.sub(r"[^A-Za-z0-9-]", "-", f"{notification.source}-{notification.key}")
    return f"<{about}@{conf.site_host()}>"


def _headers(delivery: Delivery) -> dict[str, str]:
    root = thread_root(delivery.notification)
    return {
        "Message-ID": delivery.message_id,
        "In-Reply-To": root,
        "References": root,
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
    }


def _context(notification: Notification, content: Content, subject_title: str) -> dict[str, Any]:
    new_messages = [message for message in content.messages if message.new]
    earlier_messages = [message for message in content.messages if not message.new]
    return {
        "language": translation.get_language(),
        "subject_title": subject_title,
        "title": content.title,
        "url": conf.absolute_url(content.url or notification.url),
        "thumbnail_url": conf.absolute_url(content.thumbnail_url),
        "other_name": content.other_name or _("Somebody"),
        "earlier_lines": list(group_lines(earlier_messages)),
        "new_lines": list(group_lines(new_messages)),
        "new_count": len(new_messages) + content.more_count,
        "more_count": content.more_count,
        "site_name": conf.site_name(),
        "site_url": conf.site_url(),
    }


def group_lines(messages: Sequence[ContentMessage]) -> Iterator[Line]:
    previous: ContentMessage | None = None
    for message in messages:
        continues = (
            previous is not None
            and (previous.name, previous.mine) == (message.name, message.mine)
            and message.created_at - previous.created_at <= GROUPED_WITHIN
        )
        yield Line(message, starts_group=not continues)
        previous = message
