"""Bugs that do not show before somebody hurts the product: a client that never reads, a line that
is cut after what was asked for was done."""

import asyncio
import uuid
from typing import Any

from msgspec.structs import replace as changed

from tests.faults.planted import bug, replace, replace_method

# Long enough for something to have been said, and then for who never reads it to be there for as
# long as it takes to be cut at the latest.
UNREAD_SECONDS = 160.0


@bug("never cuts who reads nothing", "I13", nemesis=9, seconds=UNREAD_SECONDS)
def never_cut() -> None:
    from messaging import connection
    from messaging.transport import POLL_SECONDS, UNSENT_BYTES, Pace

    async def wait_for_ever(self: Any) -> None:
        transport = self._transport
        while transport and transport.unsent_bytes() >= UNSENT_BYTES and not self.is_lost():
            await asyncio.sleep(POLL_SECONDS)

    replace_method(Pace, "room_for_more", lambda original: wait_for_ever)
    connection.WAITING_BYTES = 1 << 40  # type: ignore[attr-defined]


@bug("stores once more what comes again over another connection", "I2", nemesis=7)
def store_again_over_another_line() -> None:
    from messaging.services.record import record

    came_over: dict[uuid.UUID, str] = {}

    def is_repeat(draft: Any) -> bool:
        first = came_over.setdefault(draft.client_message_id, draft.origin)
        return bool(first != draft.origin)

    def wrap(original: Any) -> Any:
        def planted(drafts: Any, **more: Any) -> Any:
            return original(
                [
                    changed(draft, client_message_id=uuid.uuid4()) if is_repeat(draft) else draft
                    for draft in drafts
                ],
                **more,
            )

        return planted

    replace(record, wrap)
