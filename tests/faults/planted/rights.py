"""Bugs of who may still do what."""

import importlib
from typing import Any

from tests.faults.planted import bug, replace, replace_method


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
