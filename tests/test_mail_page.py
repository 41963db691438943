"""The page on which a newcomer reads the mails of their own machine."""

from pathlib import Path

import pytest
from django.core.mail import EmailMultiAlternatives, get_connection
from django.http import Http404
from django.test import RequestFactory
from pytest_django import Settings

from marketplace.development import mail

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.DEBUG = True
    settings.EMAIL_BACKEND = mail.FILE_BACKEND
    settings.EMAIL_FILE_PATH = tmp_path
    return tmp_path


def send(subject: str, *, text: str = "Hello", html: str = "") -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(subject, text, to=["ana@example.com"])
    if html:
        message.attach_alternative(html, "text/html")
    return message


def test_mails_are_listed_newest_first(folder: Path) -> None:
    get_connection().send_messages([send("First"), send("Second")])
    get_connection().send_messages([send("Third", text="Your code: 123-456 — ¿sí?")])
    mails = list(mail.newest_first())
    assert [one.subject for one in mails] == ["Third", "Second", "First"]
    assert mails[0].to == "ana@example.com"
    assert "Your code: 123-456 — ¿sí?" in mails[0].text


def test_the_html_of_a_mail_can_do_nothing(folder: Path) -> None:
    get_connection().send_messages([send("Hi", html="<script>alert(1)</script><p>Hi</p>")])
    written = next(mail.newest_first())
    request = RequestFactory().get("/")
    answer = mail.show_html(request, written.file, written.position)
    assert b"<p>Hi</p>" in answer.content
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_there_is_no_such_page_outside_of_debug(folder: Path, settings: Settings) -> None:
    settings.DEBUG = False
    with pytest.raises(Http404):
        mail.show_mails(RequestFactory().get("/"))


def test_there_is_no_such_page_where_mails_are_sent(folder: Path, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with pytest.raises(Http404):
        mail.show_mails(RequestFactory().get("/"))
