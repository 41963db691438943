"""Bugs planted into the product, each of which the machine must find."""

from collections.abc import Callable
from typing import Any

import pytest

from messaging.consumers import RoomConsumer
from messaging.services import changes, inbox_rows, record


def skip_gaps(patch: pytest.MonkeyPatch) -> None:
    """A later change waits for ever for the one that was lost."""

    async def gap(self: Any, event: Any) -> None:
        pass

    patch.setattr(RoomConsumer, "gap", gap)


def deliver_own_twice(patch: pytest.MonkeyPatch) -> None:
    """The sender's connection gets its own message back."""

    async def hand_over(self: Any, event: Any) -> None:
        self.cursor = event["revision"]
        await self.send(text_data=event["text"])

    patch.setattr(RoomConsumer, "_hand_over", hand_over)


def forget_unread_on_deletion(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(changes, "recount_after_deletion", lambda members, message: None)


def trust_order_of_layer(patch: pytest.MonkeyPatch) -> None:
    """What comes is handed over, whatever is missing before it."""

    async def chat_message(self: Any, event: Any) -> None:
        if self.cursor is not None and event["revision"] > self.cursor:
            await self._hand_over(event)

    patch.setattr(RoomConsumer, "chat_message", chat_message)
    patch.setattr(RoomConsumer, "message_changed", chat_message)


def leave_archived(patch: pytest.MonkeyPatch) -> None:
    """What was put away stays away when the other side writes."""
    touch = inbox_rows.touch_inbox_row

    def touch_and_keep(member: Any, *, sender: Any, now: Any) -> None:
        archived = member.archived
        touch(member, sender=sender, now=now)
        member.archived = archived

    patch.setattr(record, "touch_inbox_row", touch_and_keep)


def tell_nobody_of_edits(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(changes, "publish_on_commit", lambda events: None)


def store_retries_again(patch: pytest.MonkeyPatch) -> None:
    """The id of the client's is not looked at before it is too late."""
    patch.setattr(record._Batch, "_find_retries", lambda self: None)


def ignore_blocks_over_pages(patch: pytest.MonkeyPatch) -> None:
    kept = record._Batch._refuse

    def refuse(self: Any, draft: Any, place: Any) -> Any:
        return kept(self, draft, place) if draft.origin else None

    patch.setattr(record._Batch, "_refuse", refuse)


# The first are found within a few examples.
BUGS: list[Callable[[pytest.MonkeyPatch], None]] = [
    skip_gaps,
    deliver_own_twice,
    trust_order_of_layer,
    tell_nobody_of_edits,
    store_retries_again,
    forget_unread_on_deletion,
    leave_archived,
    ignore_blocks_over_pages,
]
