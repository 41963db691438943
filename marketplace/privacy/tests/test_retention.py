"""What is old goes where that is set, what is young or still needed stays."""

import os
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from celery_app import app
from marketplace.privacy import tasks
from marketplace.privacy.models import DataExport
from marketplace.privacy.services.export import make_export, request_export
from marketplace.privacy.services.retention import apply_retention
from marketplace.privacy.tests.people import enter
from messaging.models import Conversation, Message
from messaging.services import retention as messaging
from messaging.tests.conversing import make_conversation, say
from notifications.models import Delivery, Notification


def retain(*options: str) -> dict[str, int]:
    output = StringIO()
    call_command("apply_retention", *options, stdout=output)
    lines = (line.split(": ") for line in output.getvalue().splitlines())
    return {name: int(count) for name, count in lines}


def tell(user: User, *, days_ago: float, state: str = "sent") -> Notification:
    notification = Notification.objects.create(
        recipient=user,
        kind="new_message",
        source="messaging",
        key=f"{days_ago} {state}",
        first_sequence=1,
        last_sequence=1,
        created_at=timezone.now() - timedelta(days=days_ago),
    )
    Delivery.objects.create(notification=notification, due_at=timezone.now(), state=state)
    return notification


def close(conversation: Conversation, *, days_ago: float) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(
        state="closed", last_message_at=timezone.now() - timedelta(days=days_ago)
    )


def test_old_notifications_go_with_their_trails(buyer: User, settings: Settings) -> None:
    settings.PRIVACY_RETAIN_NOTIFICATIONS_DAYS = 30
    young, waiting = tell(buyer, days_ago=29), tell(buyer, days_ago=31, state="pending")
    tell(buyer, days_ago=31)
    assert retain("--dry-run")["notifications"] == 1
    assert Notification.objects.count() == 3
    assert retain()["notifications"] == 1
    assert set(Notification.objects.all()) == {young, waiting}
    assert Delivery.objects.count() == 2
    settings.PRIVACY_RETAIN_NOTIFICATIONS_DAYS = 0
    tell(buyer, days_ago=4000)
    assert "notifications" not in retain()
    assert Notification.objects.count() == 3


def test_closed_conversations_stay_for_ever_unless_set(
    conversation: Conversation, buyer: User, seller: User, settings: Settings
) -> None:
    say(seller, conversation, "Sold.")
    close(conversation, days_ago=100)
    still_open, young = make_conversation(buyer, seller), make_conversation(buyer, seller)
    close(young, days_ago=10)
    Conversation.objects.filter(pk=still_open.pk).update(
        last_message_at=timezone.now() - timedelta(days=100)
    )
    told = tell(buyer, days_ago=1)
    Notification.objects.filter(pk=told.pk).update(key=str(conversation.pk))
    assert "closed_conversations" not in retain()
    assert Conversation.objects.count() == 3

    settings.PRIVACY_RETAIN_CLOSED_CONVERSATIONS_DAYS = 30
    assert retain("--dry-run")["closed_conversations"] == 1
    assert retain()["closed_conversations"] == 1
    assert set(Conversation.objects.all()) == {still_open, young}
    assert not Message.objects.exists()
    assert not Notification.objects.exists()


def test_long_conversations_go_in_batches(
    conversation: Conversation,
    buyer: User,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.PRIVACY_RETAIN_CLOSED_CONVERSATIONS_DAYS = 30
    monkeypatch.setattr(messaging, "MESSAGES", 2)
    for number in range(4):
        say(buyer, conversation, f"{number}")
    close(conversation, days_ago=31)
    retain()
    assert not Conversation.objects.exists()


def test_ended_sessions_go_with_their_questions(buyer: User, client: Any, listing: Any) -> None:
    kept = enter(buyer)
    client.post("/listings/walnut-sideboard/conversation/", {"message": "Is it there?"})
    Session.objects.exclude(session_key=kept.session.session_key).update(
        expire_date=timezone.now() - timedelta(seconds=1)
    )
    assert retain("--dry-run")["sessions"] == 1
    retain()
    assert [row.session_key for row in Session.objects.all()] == [kept.session.session_key]


def test_copies_and_stray_files_go(buyer: User) -> None:
    export = request_export(user=buyer)
    make_export(export_id=export.pk)
    root = Path(django_settings.PRIVACY_EXPORTS_ROOT)
    old, young = root / "stray.zip.part", root / "young.zip"
    for path in (old, young):
        path.write_text("left behind")
    two_days_ago = (timezone.now() - timedelta(days=2)).timestamp()
    os.utime(old, (two_days_ago, two_days_ago))
    assert retain("--dry-run")["export_files"] == 1
    retain()
    assert not old.exists()
    assert young.exists()
    assert len(list(root.iterdir())) == 2
    with time_machine.travel(timezone.now() + timedelta(days=40)):
        counts = retain()
    assert (counts["exports"], counts["export_requests"]) == (1, 1)
    assert not DataExport.objects.exists()
    assert list(root.iterdir()) == []


def test_conversations_without_anybody_go(conversation: Conversation, buyer: User) -> None:
    assert retain()["abandoned_conversations"] == 0
    conversation.participants.update(user=None)
    Conversation.objects.update(buyer=None)
    assert retain()["abandoned_conversations"] == 0  # The seller is still there.
    Conversation.objects.update(seller=None)
    assert retain()["abandoned_conversations"] == 1


def test_the_time_is_bounded(buyer: User, settings: Settings) -> None:
    settings.PRIVACY_RETAIN_NOTIFICATIONS_DAYS = 30
    tell(buyer, days_ago=31)
    assert set(apply_retention(seconds=0).values()) == {0}
    tasks.delete_what_is_old()
    assert not Notification.objects.exists()


def test_the_beat_does_it_every_day() -> None:
    schedule = app.conf.beat_schedule
    assert schedule["apply-retention"]["task"] == tasks.delete_what_is_old.name
    assert schedule["find-privacy-work"]["task"] == tasks.find_work.name
