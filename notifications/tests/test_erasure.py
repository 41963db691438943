"""What was told to somebody, or about something, that is gone."""

from typing import Any

import pytest

from notifications.models import Delivery, Notification
from notifications.services import erasure
from notifications.services.deliver import deliver
from notifications.services.erasure import erase_person, forget_subjects
from notifications.services.export import count_records, export_person
from notifications.tests.conftest import owed_delivery
from notifications.tests.fake_source import FakeSource


@pytest.fixture(autouse=True)
def at_noon(clock: Any, mail_settings: None) -> None:
    """Time stands still, and mails can be composed."""


def test_a_mail_that_is_due_is_not_sent_any_more(
    source: FakeSource, buyer: Any, seller: Any, mailoutbox: list[Any]
) -> None:
    gone = owed_delivery(source, buyer.pk)
    kept = owed_delivery(source, seller.pk)
    assert erase_person(user=buyer) == {"notifications": 1}
    for delivery in (gone, kept):
        deliver(delivery_id=delivery.pk)
    assert [message.to for message in mailoutbox] == [[seller.email]]
    assert list(Delivery.objects.all()) == [kept]


def test_many_go_in_batches(
    source: FakeSource, buyer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "BATCH", 2)
    for number in range(5):
        Notification.objects.create(
            recipient=buyer,
            kind="new_message",
            source=source.name,
            key=str(number),
            first_sequence=1,
            last_sequence=1,
        )
    assert forget_subjects(source=source.name, keys=["0", "1", "2"]) == 3
    assert forget_subjects(source=source.name, keys=[]) == 0
    assert forget_subjects(source="another", keys=["3"]) == 0
    assert erase_person(user=buyer) == {"notifications": 2}


def test_an_export_has_ones_own_with_the_trail(source: FakeSource, buyer: Any, seller: Any) -> None:
    owed_delivery(source, buyer.pk)
    owed_delivery(source, seller.pk)
    [record] = export_person(user=buyer)["notifications"]
    assert count_records(user=buyer) == 1
    assert record["created_at"] == "2026-03-02T12:00:00.000Z"
    [delivery] = record["deliveries"]
    assert [entry["what"] for entry in delivery["trail"]] == ["created"]
