"""Bugs of who may still do what."""

import asyncio
import importlib
from datetime import timedelta
from typing import Any

from django.db import OperationalError

from tests.faults.planted import bug, replace, replace_method, sometimes

# What has come so much later than its conversation was not there from the beginning.
LATER = timedelta(seconds=1)
PATIENCE = 0.5


@bug("lets a socket write on after its session is over", "I10", often=("log_out_all",))
def write_after_log_out() -> None:
    from messaging import sessions
    from messaging.heartbeat import Heartbeat
    from messaging.selectors.connections import check_session

    async def look_at_nothing(self: Any, user_ids: Any = None) -> None:
        """Every session lives for ever."""

    replace(sessions.is_valid, lambda original: lambda *arguments, **more: True)
    replace(check_session, lambda original: lambda *arguments, **more: None)
    replace_method(Heartbeat, "check_sessions", lambda original: look_at_nothing)


@bug("stores what somebody writes who is blocked", "I10", often=("block",))
def write_over_a_block() -> None:
    from messaging.policies import refuse_writing

    def wrap(original: Any) -> Any:
        def planted(**about: Any) -> Any:
            return original(**{**about, "blocked": False})

        return planted

    replace(refuse_writing, wrap)


@bug("shows a conversation to anybody who has its address", "I11", often=("peek",))
def let_strangers_read() -> None:
    # By its name: what `messaging.views` calls so is the view.
    views: Any = importlib.import_module("messaging.views.messages")

    def wrap(original: Any) -> Any:
        def planted(request: Any, conversation_id: str) -> Any:
            from messaging.exceptions import NotFound
            from messaging.models import Participant
            from messaging.selectors.conversations import access_conversation

            try:
                return original(request, conversation_id)
            except NotFound:
                places = Participant.objects.filter(conversation_id=conversation_id)
                place = places.select_related("user").first()
                if place is None:
                    raise
                return access_conversation(user=place.user, conversation_id=place.conversation_id)

        return planted

    views.access_of = wrap(views.access_of)


@bug("takes some people out of rooms that they are in", "I14")
def take_people_out() -> None:
    """The page ends for good there."""
    from messaging.close_codes import CloseCode
    from messaging.consumers import RoomConsumer

    def wrap(original: Any) -> Any:
        async def planted(self: Any, event: Any) -> None:
            if sometimes(0.02):
                await self.close(CloseCode.NO_LONGER_PARTICIPANT)
            else:
                await original(self, event)

        return planted

    replace_method(RoomConsumer, "beat", wrap)


@bug("lets nobody answer a buyer who left and is back", "I2", often=("leave",))
def never_open_a_thread_again() -> None:
    from messaging.models import Participant
    from messaging.services.record import _Batch

    def wrap(original: Any) -> Any:
        def planted(self: Any, place: Any) -> bool:
            places = Participant.objects.filter(conversation_id=place.conversation_id)
            others = places.exclude(role=place.role)
            began = others.values_list("joined_at", "conversation__created_at")
            is_back = any(joined - created > LATER for joined, created in began)
            return original(self, place) or (place.role == "seller" and is_back)

        return planted

    replace_method(_Batch, "_is_alone", wrap)


@bug("ends everybody's session while the database is away", "I14", nemesis=5)
def end_sessions_without_the_database() -> None:
    """As if whoever is not found soon were not there."""
    from messaging.heartbeat import Heartbeat

    def wrap(original: Any) -> Any:
        async def planted(self: Any, user_ids: Any = None) -> None:
            try:
                async with asyncio.timeout(PATIENCE):
                    await original(self, user_ids)
            except (TimeoutError, OperationalError):
                for connection in self.connections:
                    connection.post({"type": "session_ended"})

        return planted

    replace_method(Heartbeat, "check_sessions", wrap)
