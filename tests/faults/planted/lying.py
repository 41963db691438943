"""Bugs of what people are shown beside messages, and of what they are refused."""

import json
from typing import Any

from tests.faults.planted import bug, replace, replace_method, sometimes


@bug("says of whoever comes that they have gone, and the other way round", "I4")
def lie_about_presence() -> None:
    from messaging.events import presence_event

    def wrap(original: Any) -> Any:
        def planted(**about: Any) -> Any:
            event = original(**about)
            frame = json.loads(event["text"])
            event["text"] = json.dumps({**frame, "online": not frame["online"]})
            return event

        return planted

    replace(presence_event, wrap)


@bug("never tells how far somebody has read", "I6", often=("read",))
def never_tell_of_reading() -> None:
    from messaging.consumers import InboxConsumer
    from messaging.membership import MemberWatch

    async def note_only(self: Any, event: Any) -> None:
        self._read_positions[event["user"]] = event["sequence"]

    async def do_nothing(self: Any, event: Any) -> None:
        """Whoever has the list open does not hear of it either."""

    replace_method(MemberWatch, "read", lambda original: note_only)
    replace_method(InboxConsumer, "read", lambda original: do_nothing)


@bug("tells an open list nothing, and that nothing has changed", "I6")
def leave_lists_alone() -> None:
    from messaging.consumers import InboxConsumer

    async def do_nothing(self: Any, event: Any) -> None:
        """Nobody hears of it."""

    async def beat(self: Any, event: Any) -> None:
        await self.send_frame({"type": "heartbeat", "cursor": "the same"})

    replace_method(InboxConsumer, "message_changed", lambda original: do_nothing)
    replace_method(InboxConsumer, "chat_message", lambda original: do_nothing)
    replace_method(InboxConsumer, "beat", lambda original: beat)


@bug("says at `ready` that more is read than there is", "I4", "I6", often=("reconnect",))
def say_too_much_is_read() -> None:
    from messaging import consumers

    def wrap(original: Any) -> Any:
        def planted(room: Any, person: Any, revision: int, last_sequence: int) -> Any:
            frame = original(room, person, revision, last_sequence)
            return {**frame, "read_sequence": last_sequence + 1000}

        return planted

    replace(consumers._ready, wrap)


@bug("says in lists that more is unread than there is", "I6", often=("list_rows",))
def list_too_much_as_unread() -> None:
    from messaging.selectors.inbox import InboxRow

    def wrap(original: Any) -> Any:
        def planted(self: Any) -> Any:
            row = original(self)
            return {**row, "unread": row["unread"] + 7}

        return planted

    replace_method(InboxRow, "as_dict", wrap)


@bug("refuses the retry of what is stored", "I2", nemesis=14)
def refuse_retries() -> None:
    from messaging.exceptions import Forbidden
    from messaging.services.receipts import answer_retry, answer_twin

    replace(answer_retry, lambda original: lambda draft, stored: Forbidden())
    replace(answer_twin, lambda original: lambda draft, message, ids: Forbidden())


@bug("refuses a message in twenty for nothing", "I2")
def refuse_for_nothing() -> None:
    from messaging.exceptions import Forbidden
    from messaging.services.record import _Batch

    def wrap(original: Any) -> Any:
        def planted(self: Any, draft: Any, place: Any) -> Any:
            is_first = self._conversations[draft.conversation_id.int].last_sequence < 1
            if not is_first and sometimes(0.05):
                return Forbidden()
            return original(self, draft, place)

        return planted

    replace_method(_Batch, "_refuse", wrap)


@bug("tells strangers what is said, in frames that say that somebody types", "I11")
def leak_in_typing() -> None:
    from messaging.hub import Hub

    def wrap(original: Any) -> Any:
        def planted(self: Any, events: Any) -> None:
            told = list(events)
            original(self, told)
            for event in told:
                if event["type"] == "chat_message":
                    frame = {"type": "typing", "user": event["user"], "expires_in": 6}
                    frame["message"] = json.loads(event["text"])["message"]
                    for connection in list(self._list_connections())[:5]:
                        connection.start(connection.send(text_data=json.dumps(frame)))

        return planted

    replace_method(Hub, "deliver", wrap)
