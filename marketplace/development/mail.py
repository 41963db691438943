"""The mails that were written to a folder instead of being sent, on a page of this machine."""

import email
import email.policy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

FILE_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
# What Django's backend writes after each message of a file.
SEPARATOR = b"-" * 79 + b"\n"
MOST_SHOWN = 50
# A mail may style itself, and may do nothing else.
MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; sandbox"


@dataclass(frozen=True)
class Mail:
    file: str
    position: int
    written_at: datetime
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"] or "")

    @property
    def to(self) -> str:
        return str(self.message["To"] or "")

    @property
    def text(self) -> str:
        return self.part("plain")

    @property
    def html(self) -> str:
        return self.part("html")

    def part(self, kind: str) -> str:
        found = self.message.get_body(preferencelist=(kind,))
        return str(found.get_content()) if found else ""


def folder() -> Path:
    """Http404 where mails are really sent, and outside of debug."""
    if not settings.DEBUG or settings.EMAIL_BACKEND != FILE_BACKEND:
        raise Http404
    return Path(settings.EMAIL_FILE_PATH)


def newest_first() -> Iterator[Mail]:
    files = sorted(folder().glob("*.log"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    for file in files:
        yield from reversed(read(file))


def read(file: Path) -> list[Mail]:
    written_at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    contents = [part for part in file.read_bytes().split(SEPARATOR) if part.strip()]
    return [
        Mail(
            file=file.stem,
            position=position,
            written_at=written_at,
            message=email.message_from_bytes(content, policy=email.policy.default),
        )
        for position, content in enumerate(contents)
    ]


@require_safe
@never_cache
def show_mails(request: HttpRequest) -> HttpResponse:
    mails = [mail for mail, _ in zip(newest_first(), range(MOST_SHOWN), strict=False)]
    return render(request, "development/mail.html", {"mails": mails})


@require_safe
@never_cache
def show_html(request: HttpRequest, file: str, position: int) -> HttpResponse:
    for mail in newest_first():
        if (mail.file, mail.position) == (file, position) and mail.html:
            return HttpResponse(mail.html, headers={"Content-Security-Policy": MAIL_POLICY})
    raise Http404


urlpatterns: list[URLPattern] = [
    path("", show_mails, name="development-mail"),
    path("<slug:file>/<int:position>/", show_html, name="development-mail-html"),
]
