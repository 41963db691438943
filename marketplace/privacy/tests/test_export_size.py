"""A copy takes no more memory for many messages than for few."""

import os
import tracemalloc
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from accounts.models import User
from marketplace.privacy import files
from marketplace.privacy.services.archive import write_archive
from marketplace.privacy.tests.people import read_zip
from messaging.models import Conversation, Message
from messaging.tests.conversing import make_conversation

TEXT = "What I wanted to say about it is this. " * 5


def fill(conversation: Conversation, count: int) -> None:
    """Stored as they are, without anybody being told."""
    places = list(conversation.participants.order_by("pk"))
    started = timezone.now() - timedelta(days=1)
    Message.objects.bulk_create(
        (
            Message(
                conversation=conversation,
                sequence=number,
                created_revision=number,
                revision=number,
                sender=places[number % 2],
                body=f"{number} {TEXT}",
                created_at=started + timedelta(milliseconds=number),
            )
            for number in range(1, count + 1)
        ),
        batch_size=2000,
    )
    Conversation.objects.filter(pk=conversation.pk).update(last_sequence=count, revision=count)


def measure(user: User, path: Path) -> tuple[int, int]:
    """Most bytes of memory in use at once, and records."""
    tracemalloc.start()
    with files.create_private(path) as target:
        done = max(write_archive(target, user=user))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak, done


def test_memory_is_flat(buyer: User, seller: User, stranger: User, tmp_path: Path) -> None:
    few = int(os.environ.get("EXPORT_TEST_MESSAGES", "10000")) // 5
    fill(make_conversation(buyer, seller), few)
    fill(make_conversation(stranger, seller), 5 * few)
    measure(buyer, tmp_path / "warm.zip")
    small, small_count = measure(buyer, tmp_path / "small.zip")
    large, large_count = measure(stranger, tmp_path / "large.zip")
    print(f"{small_count} records: {small} bytes; {large_count} records: {large} bytes")
    assert (small_count, large_count) == (few + 2, 5 * few + 2)
    assert large < 1.5 * small
    rows = read_zip((tmp_path / "large.zip").read_bytes())["messages"]
    assert [row["sequence"] for row in rows] == list(range(1, 5 * few + 1))
