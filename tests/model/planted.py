"""Bugs planted into the product, each of which the machine must find."""

from collections.abc import Callable
from typing import Any

import pytest

from messaging import consumers, policies
from messaging.consumers import RoomConsumer
from messaging.replaying import Replay
from messaging.services import changes, inbox_rows, record, recounting


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

    def touch_and_keep(member: Any, *, sender: Any, times: Any) -> None:
        archived = member.archived
        touch(member, sender=sender, times=times)
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


def edit_over_blocks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(changes, "_check_may_write", lambda held: None)


def compare_retries_with_what_is_now(patch: pytest.MonkeyPatch) -> None:
    """A retry after an edit conflicts."""

    def is_same_body(*, body: str, stored_body: str, original_digest: Any) -> bool:
        return body == stored_body

    patch.setattr(policies, "is_same_body", is_same_body)


def lose_row_of_second_page(patch: pytest.MonkeyPatch) -> None:
    taken: dict[int, int] = {}
    begin, take = Replay.__init__, Replay.take

    def begin_anew(self: Any, after: int) -> None:
        taken[id(self)] = 0
        begin(self, after)

    def take_fewer(self: Any, page: Any) -> Any:
        taken[id(self)] += 1
        return take(self, page)[1 if taken[id(self)] == 2 else 0 :]

    patch.setattr(Replay, "__init__", begin_anew)
    patch.setattr(Replay, "take", take_fewer)


def _say_in_ready(patch: pytest.MonkeyPatch, name: str, difference: int) -> None:
    ready = consumers._ready

    def lie(*given: Any) -> Any:
        frame = ready(*given)
        return {**frame, name: max(0, frame[name] + difference)}

    patch.setattr(consumers, "_ready", lie)


def say_less_in_ready(patch: pytest.MonkeyPatch) -> None:
    """The connection has handed over more than it says."""
    _say_in_ready(patch, "revision", -1)


def say_more_in_ready(patch: pytest.MonkeyPatch) -> None:
    _say_in_ready(patch, "revision", 1)


def say_read_in_ready(patch: pytest.MonkeyPatch) -> None:
    _say_in_ready(patch, "read_sequence", 1)


def keep_unread_on_deletion(patch: pytest.MonkeyPatch) -> None:
    """What was deleted stays unread; who waits for an answer is counted well."""
    patch.setattr(recounting, "count_unread", lambda member, position: member.unread_count)


def hand_over_what_came_late(patch: pytest.MonkeyPatch) -> None:
    """What was doubled is known; what comes in another order is not."""
    deliver = RoomConsumer.chat_message

    async def chat_message(self: Any, event: Any) -> None:
        if self.cursor is not None and event["revision"] < self.cursor:
            await self.send(text_data=event["text"])
        else:
            await deliver(self, event)

    patch.setattr(RoomConsumer, "chat_message", chat_message)
    patch.setattr(RoomConsumer, "message_changed", chat_message)


# The first are found within a few examples.
BUGS: list[Callable[[pytest.MonkeyPatch], None]] = [
    skip_gaps,
    lose_row_of_second_page,
    store_retries_again,
    deliver_own_twice,
    trust_order_of_layer,
    tell_nobody_of_edits,
    forget_unread_on_deletion,
    keep_unread_on_deletion,
    leave_archived,
    ignore_blocks_over_pages,
    edit_over_blocks,
    compare_retries_with_what_is_now,
    say_less_in_ready,
    say_more_in_ready,
    say_read_in_ready,
    hand_over_what_came_late,
]
