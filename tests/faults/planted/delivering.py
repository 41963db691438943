"""Bugs of what sockets hand over, and to whom."""

import random
from typing import Any

from tests.faults.planted import bug, replace_method, sometimes


@bug("hands a message over twice", "I4")
def deliver_twice() -> None:
    from messaging.consumers import RoomConsumer

    def wrap(original: Any) -> Any:
        async def planted(self: Any, event: Any) -> None:
            await original(self, event)
            if event["origin"] != self.connection_id and sometimes(0.05):
                await self.send(text_data=event["text"])

        return planted

    replace_method(RoomConsumer, "_hand_over", wrap)


@bug("never hands a message over, and thinks that it did", "I4")
def never_deliver() -> None:
    from messaging.consumers import RoomConsumer

    def wrap(original: Any) -> Any:
        async def planted(self: Any, event: Any) -> None:
            if sometimes(0.05):
                self.cursor = event["revision"]
                return
            await original(self, event)

        return planted

    replace_method(RoomConsumer, "_hand_over", wrap)


@bug("hands a message over after a later one", "I4")
def deliver_out_of_order() -> None:
    from messaging.consumers import RoomConsumer

    def wrap(original: Any) -> Any:
        async def planted(self: Any, event: Any) -> None:
            kept = getattr(self, "kept_by_a_bug", None)
            if kept is None and sometimes(0.05):
                self.kept_by_a_bug, self.cursor = event, event["revision"]
                return
            await original(self, event)
            if kept is not None:
                self.kept_by_a_bug, cursor = None, self.cursor
                await original(self, kept)
                self.cursor = cursor

        return planted

    replace_method(RoomConsumer, "_hand_over", wrap)


@bug("loses events between processes, and looks for no gap", "I4")
def forget_the_gap() -> None:
    from messaging.consumers import RoomConsumer
    from messaging.hub import Hub
    from messaging.reception import current_reception

    def wrap_hub(original: Any) -> Any:
        def planted(self: Any, events: Any) -> None:
            original(self, [event for event in events if not sometimes(0.1)])

        return planted

    async def hand_over_whatever(self: Any, event: Any) -> None:
        if self.cursor is not None and event["revision"] > self.cursor:
            await self._hand_over(event)

    async def catch_up(self: Any) -> None:
        """Nothing was missed, says this one."""
        room = await current_reception().enter_room(self.person, self.conversation_id)
        self.cursor = room.revision

    replace_method(Hub, "deliver", wrap_hub)
    replace_method(RoomConsumer, "chat_message", lambda original: hand_over_whatever)
    replace_method(RoomConsumer, "message_changed", lambda original: hand_over_whatever)
    replace_method(RoomConsumer, "_catch_up", lambda original: catch_up)


@bug("leaves the first message out of a replay", "I4", often=("reconnect",))
def replay_too_little() -> None:
    from messaging.consumers import RoomConsumer

    def wrap(original: Any) -> Any:
        async def planted(self: Any, changes: Any, replay: Any) -> None:
            del changes.messages[:1]
            await original(self, changes, replay)

        return planted

    replace_method(RoomConsumer, "_hand_over_changes", wrap)


@bug("replays one change too many", "I4")
def replay_too_much() -> None:
    from messaging.consumers import RoomConsumer

    def wrap(original: Any) -> Any:
        async def planted(self: Any, event: Any) -> None:
            after = self.cursor
            await original(self, event)
            if after and sometimes(0.2):
                self.cursor = max(0, after - 1)
                await self._catch_up()

        return planted

    replace_method(RoomConsumer, "beat", wrap)


@bug("hands a message to a stranger", "I11")
def leak_to_a_stranger() -> None:
    from messaging.hub import Hub

    def wrap(original: Any) -> Any:
        def planted(self: Any, events: Any) -> None:
            told = list(events)
            original(self, told)
            for event in told:
                if event["type"] == "chat_message" and sometimes(0.05):
                    everybody = sorted(self._list_connections(), key=id)
                    stranger: Any = random.choice(everybody) if everybody else None
                    if stranger is not None:
                        stranger.start(stranger.send(text_data=event["text"]))

        return planted

    replace_method(Hub, "deliver", wrap)


@bug("hands over a text under the number of another message", "I4")
def mix_texts_up() -> None:
    import json

    from messaging.consumers import RoomConsumer

    def wrap(original: Any) -> Any:
        async def planted(self: Any, event: Any) -> None:
            last = getattr(self, "last_by_a_bug", None)
            frame = json.loads(event["text"])
            self.last_by_a_bug = frame.get("message")
            if last and sometimes(0.1):
                event = {**event, "text": json.dumps({**frame, "message": last})}
            await original(self, event)

        return planted

    replace_method(RoomConsumer, "_hand_over", wrap)


@bug("holds ever more memory", "I13")
def hold_memory() -> None:
    from messaging import consumers

    consumers.held_by_a_bug = bytearray(b"x") * (320 * 1024 * 1024)  # type: ignore[attr-defined]
