"""The mail itself: what its recipient sees, and what nobody may see in it."""

import email.policy
import re
from email import message_from_bytes
from email.message import EmailMessage
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.contrib.auth.models import AbstractBaseUser
from django.core import mail

from notifications.models import Notification
from notifications.services.deliver import deliver
from notifications.services.notify import notify
from notifications.tests.conftest import owed_delivery
from notifications.tests.fake_source import FakeSource
from notifications.text import single_line
from notifications.transports.email import sender

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mail_settings")]


def receive(source: FakeSource, person: AbstractBaseUser, body: str = "Still there?") -> Any:
    """Let somebody be told about a message; answers their mail as their program parses it."""
    deliver(delivery_id=owed_delivery(source, person.pk, body).pk)
    raw = mail.outbox[-1].message().as_bytes()
    return message_from_bytes(raw, _class=EmailMessage, policy=email.policy.default)


def part(message: Any, kind: str) -> str:
    return str(message.get_body(preferencelist=(kind,)).get_content())


def test_its_headers_thread_it_and_keep_robots_quiet(
    source: FakeSource, seller: AbstractBaseUser
) -> None:
    message = receive(source, seller)

    delivery = Notification.objects.get().deliveries.get()
    assert message["Message-ID"] == f"<{delivery.pk}@market.example>"
    assert message["In-Reply-To"] == message["References"] == "<fake-c1@market.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["From"] == "Ana Ríos via Trato <post@market.example>"
    assert message["To"] == "sol@example.com"
    assert message["Subject"] == "About “Touring bike, 54 cm”"


def test_mails_about_one_conversation_share_thread_and_subject_though_the_title_changes(
    source: FakeSource, seller: AbstractBaseUser
) -> None:
    first = receive(source, seller)
    source.title = "Touring bike, now cheaper"
    second = receive(source, seller, "Hello?")

    assert first["Message-ID"] != second["Message-ID"]
    for header in ("References", "Subject"):
        assert first[header] == second[header]
    assert "Touring bike, now cheaper" in part(second, "plain")


def test_the_text_is_readable_by_itself(
    source: FakeSource, seller: AbstractBaseUser, clock: time_machine.Traveller
) -> None:
    source.say(seller.pk, "Is it <still> there & whole?")
    text = part(receive(source, seller, "And where?"), "plain")

    assert text.startswith("2 new messages from Ana Ríos about\nTouring bike, 54 cm\n")
    assert "Ana Ríos · March 2, noon\nIs it <still> there & whole?\n\nAnd where?\n" in text
    assert "Answer Ana Ríos:\nhttps://market.example/conversation/c1/\n" in text
    assert "\n-- \n" in text
    assert "\n\n\n" not in text


def test_everything_people_wrote_is_escaped(source: FakeSource, seller: AbstractBaseUser) -> None:
    source.title = "<b>Bike</b>"
    source.other_name = "Ana <i>"
    source.thumbnail_url = '/media/a.png" onerror="alert(1)'
    html = part(receive(source, seller, "<script>alert(1)</script>\nsecond line"), "html")

    assert "&lt;script&gt;alert(1)&lt;/script&gt;<br>second line" in html
    assert "&lt;b&gt;Bike&lt;/b&gt;" in html
    for raw in ("<script", "<b>Bike", "<i>", '" onerror="'):
        assert raw not in html


def test_it_loads_nothing_but_the_photo_and_links_only_to_the_site(
    source: FakeSource, seller: AbstractBaseUser
) -> None:
    html = part(receive(source, seller), "html")

    assert re.findall(r'(?:src|background)="([^"]+)"', html) == [
        "https://market.example/media/bike-small.webp"
    ]
    assert "url(" not in html
    assert "<link" not in html
    links = set(re.findall(r'href="([^"]+)"', html))
    assert links == {"https://market.example", "https://market.example/conversation/c1/"}


def test_styles_are_inlined_and_dark_mode_survives(
    source: FakeSource, seller: AbstractBaseUser
) -> None:
    html = part(receive(source, seller), "html")

    assert re.search(r'<td class="button"[^>]* style="[^"]*background-color: #a14028', html)
    assert "prefers-color-scheme: dark" in html


def test_the_other_partys_address_is_nowhere(
    source: FakeSource, seller: AbstractBaseUser, buyer: AbstractBaseUser
) -> None:
    source.other_name = str(buyer)

    raw = receive(source, seller).as_string()

    assert "sol@example.com" in raw, "an address would be found if it were there"
    assert "ana@example.com" not in raw


@pytest.mark.parametrize(
    "name",
    [
        "Ana\r\nBcc: x@evil.example",
        "Ana\nX-Evil: 1",
        'A" <x@evil.example>',
        "Ana\u2028Bcc: x",
        "\x00",
    ],
)
def test_a_name_cannot_add_a_header(
    source: FakeSource, seller: AbstractBaseUser, name: str
) -> None:
    source.other_name = name
    source.title = name

    message = receive(source, seller)

    assert message["Bcc"] is None
    assert message["X-Evil"] is None
    addresses = [address.addr_spec for address in message["From"].addresses]
    assert addresses == ["post@market.example"]


def test_text_for_a_header_is_one_line_that_reads_forward() -> None:
    assert single_line(" a\r\n\tb\u202ec\u2066 \ud800d ") == "a b c d"


def test_a_long_name_is_cut_and_a_missing_one_has_words() -> None:
    assert sender("x" * 500) == f'"{"x" * 60} via Trato" <post@market.example>'
    assert sender(" \n") == '"Somebody via Trato" <post@market.example>'


def test_it_speaks_the_recipients_language_and_time(
    source: FakeSource, seller: AbstractBaseUser, clock: time_machine.Traveller
) -> None:
    for field, value in {"locale": "es", "time_zone": "America/Bogota"}.items():
        setattr(seller, field, value)
    seller.save()

    message = receive(source, seller)

    assert "2 de marzo, 07:00" in part(message, "plain")
    assert '<html lang="es" dir="ltr">' in part(message, "html")


@pytest.mark.parametrize("zone", ["Not/AZone", "../etc/passwd", "Europe", "\x00", ""])
def test_an_odd_time_zone_is_the_sites_own(
    source: FakeSource, seller: AbstractBaseUser, clock: time_machine.Traveller, zone: str
) -> None:
    type(seller).objects.filter(pk=seller.pk).update(  # type: ignore[attr-defined]
        time_zone=zone.replace("\x00", "?"), locale="xx"
    )

    assert "March 2, noon" in part(receive(source, seller), "plain")


def test_it_goes_to_the_primary_verified_address(
    source: FakeSource, seller: AbstractBaseUser
) -> None:
    addresses = EmailAddress.objects.filter(user_id=seller.pk)
    addresses.update(verified=False)
    EmailAddress.objects.create(user_id=seller.pk, email="other@example.com", verified=True)

    assert receive(source, seller)["To"] == "other@example.com"


def test_the_longest_mail_stays_below_what_mail_programs_cut_off(
    source: FakeSource, seller: AbstractBaseUser
) -> None:
    for _message in range(11):
        notify(source=source, dues=[source.say(seller.pk, "é" * 4000)])
    message = receive(source, seller, "é" * 4000)

    assert len(part(message, "html").encode()) < 102_400
    assert "And 2 more messages." in part(message, "plain")
