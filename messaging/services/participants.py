"""Who takes part: people leave, and whoever may puts others in or takes them out.

Under the conversation's lock, so that a message that is being stored right now is either before the
change or after it, and whoever comes in misses none that follows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging import conf, policies
from messaging.events import UserId, groups_of, participants_event, removed_event
from messaging.exceptions import Invalid, NotFound, Unavailable
from messaging.models import Conversation, Participant, Role
from messaging.people import display_name
from messaging.selectors.connections import check_session
from messaging.services.holding import hold_sessions
from messaging.services.inbox_rows import note_changes
from messaging.services.looks import note_look, note_rest
from messaging.services.messages import publish_on_commit
from messaging.services.names import write_names
from messaging.services.reading import count_unread
from messaging.services.recounting import (
    find_answered,
    find_waiting_for,
    find_waiting_since,
    is_manned,
)
from messaging.sessions import SessionStamp
from notifications import failpoints


@dataclass(slots=True)
class Places:
    """A locked conversation and everybody who has or had a place in it."""

    conversation: Conversation
    members: list[Participant]

    def find(self, user_id: UserId) -> Participant | None:
        return next((member for member in self.members if member.user_id == user_id), None)

    def require(self, user_id: UserId) -> Participant:
        """Raises NotFound for whoever does not take part now."""
        place = self.find(user_id)
        if user_id is None or place is None or place.has_left:
            raise NotFound()
        return place

    def is_manned(self, role: str) -> bool:
        """Whether somebody is on this side."""
        return is_manned(self.members, role)

    def opposite(self, role: str) -> QuerySet[Participant]:
        """Those of the other side who take part."""
        there = Participant.objects.filter(conversation=self.conversation, left_at__isnull=True)
        return there.exclude(role=role)


@contextmanager
def _locked(conversation_id: UUID, *held: tuple[UserId, SessionStamp | None]) -> Iterator[Places]:
    """`held`: who does it, in which session. Raises NotFound; Unavailable when the database
    fails."""
    try:
        with transaction.atomic():
            hold_sessions(held)
            rows = Conversation.objects.select_for_update(no_key=True)
            conversation = rows.filter(pk=conversation_id).first()
            if conversation is None:
                raise NotFound()
            members = Participant.objects.filter(conversation=conversation).order_by("pk")
            yield Places(conversation, list(members))
        failpoints.reach("participants.committed")
    except DatabaseError as error:
        raise Unavailable() from error


def leave_conversation(
    *, user_id: UserId, conversation_id: UUID, session: SessionStamp | None = None
) -> None:
    """A person goes by themselves. Their rooms close, and it is in their inbox no more.

    Raises NotFound for whoever does not take part, Unauthenticated when the `session` has ended.
    """
    with _locked(conversation_id, (user_id, session)) as places:
        if session is not None:
            check_session(user_id, session)
        _end(places, places.require(user_id), removed=False)


def remove_participant(*, conversation_id: UUID, user_id: UserId, removed_by: Any) -> None:
    """Take somebody out; they do not come back by themselves. Raises Forbidden, NotFound."""
    with _locked(conversation_id) as places:
        policies.check_can_change_participants(user=removed_by, conversation=places.conversation)
        _end(places, places.require(user_id), removed=True)


def _end(places: Places, place: Participant, *, removed: bool) -> None:
    place.left_at, place.removed = timezone.now(), removed
    place.unread_count, place.waiting_since = 0, None
    place.notify_at = place.notify_by = None
    place.save(
        update_fields=["left_at", "removed", "unread_count", "waiting_since", "notify_at"]
        + ["notify_by"]
    )
    if not places.is_manned(place.role):  # Nobody waits where there is nobody.
        places.opposite(place.role).update(waiting_since=None)
    note_rest(place=place, conversation=places.conversation)
    _tell(places, gone=place)


def add_participant(
    *, conversation_id: UUID, user_id: UserId, role: str, added_by: Any
) -> Participant:
    """Put somebody on one side of a conversation: a colleague, a support agent. They read all of
    it, and what their side has not answered yet is unread to them. Twice does no harm.

    Who puts in themselves or others of the staff has to be allowed to read it, and it is noted.
    Raises Forbidden, NotFound, and Invalid for nobody, for no role and for the other side's people.
    """
    with _locked(conversation_id) as places:
        policies.check_can_change_participants(user=added_by, conversation=places.conversation)
        user = get_user_model()._default_manager.filter(pk=user_id, is_active=True).first()
        if user is None:
            raise Invalid(_("There is nobody with this number who could take part."))
        if role not in Role.values:
            raise Invalid(_("The field “role” must be buyer or seller."))
        if looks := policies.needs_look(user=user, added_by=added_by):
            policies.check_can_look(user=added_by)
        place = places.find(user_id) or Participant(
            conversation=places.conversation, user=user, role=role
        )
        if place.role != role:
            raise Invalid(_("This person is on the other side of this conversation."))
        if place.has_left or place._state.adding:
            _begin(places, place, user)
            _notify_of_unread(place)
            if looks:
                note_look(conversation=places.conversation, user=user, first_sequence=1)
        return place


def return_to_conversation(*, user: Any, conversation_id: UUID) -> None:
    """Somebody who has left by themselves comes back. Inside the caller's transaction.

    Raises NotFound for a stranger, Forbidden for whoever was taken out.
    """
    with _locked(conversation_id) as places:
        place = places.find(user.pk)
        if place is None:
            raise NotFound()
        policies.check_can_return(place=place)
        if place.has_left:
            _begin(places, place, user)


def _begin(places: Places, place: Participant, user: Any) -> None:
    if not places.is_manned(place.role):  # There is somebody again whom the other side may answer.
        for member in places.opposite(place.role):
            since = find_waiting_since(places.conversation.pk, member.role)
            Participant.objects.filter(pk=member.pk).update(waiting_since=since)
    answered = find_answered(places.conversation.pk, place.role)
    now = timezone.now()
    place.name = display_name(user)
    place.joined_at = place.last_activity_at = now
    place.left_at, place.removed, place.archived = None, False, False
    place.read_sequence = place.notified_sequence = max(place.read_sequence, answered)
    if place._state.adding:
        places.members.append(place)
        place.save()
    place.unread_count = count_unread(place, place.read_sequence)
    place.waiting_since = find_waiting_for(places.members, places.conversation.pk, place.role)
    place.save()
    write_names([places.conversation.pk])
    _tell(places)


def _notify_of_unread(place: Participant) -> None:
    if place.unread_count:
        now = timezone.now()
        place.notify_at, place.notify_by = now + conf.notify_delay(), now + conf.notify_cap()
        place.save(update_fields=["notify_at", "notify_by"])


def _tell(places: Places, *, gone: Participant | None = None) -> None:
    """Everybody who takes part now, and first whoever does not any more."""
    key = places.conversation.pk
    note_changes([key])
    events = [participants_event(conversation_id=key, groups=groups_of(places.members))]
    if gone is not None:
        events.insert(0, removed_event(conversation_id=key, member=gone))
    publish_on_commit(events)
