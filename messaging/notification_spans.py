"""What is still owed of many spans at once, in a fixed number of queries."""

from collections.abc import Sequence
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from messaging import presence
from messaging.listings import shown_listings
from messaging.models import Conversation, Message, Participant
from messaging.selectors.blocks import find_all_hidden
from messaging.selectors.cards import shown_title
from notifications.sources import Owed, Span, State, Subject

Key = tuple[Any, str]


def find_owed(spans: Sequence[Span]) -> list[Owed]:
    """Of each in their order."""
    places = _find_places(spans)
    online = presence.find_online({span.recipient_id for span in spans})
    blocked = _find_blocked(list(places.values()))
    return [_owed(span, places.get(_key_of(span)), online, blocked) for span in spans]


def find_subjects(spans: Sequence[Span]) -> list[Subject]:
    """The listing's title and the thread; nothing for who has no place there."""
    people = Participant.objects.filter(
        conversation_id__in={span.key for span in spans},
        user_id__in={span.recipient_id for span in spans},
    )
    places = {(user, str(key)) for user, key in people.values_list("user_id", "conversation_id")}
    found = Conversation.objects.filter(pk__in={key for _, key in places})
    conversations = {str(conversation.pk): conversation for conversation in found}
    wanted = {conversation.listing_id for conversation in conversations.values()} - {None}
    listings = {listing.pk: listing for listing in shown_listings().filter(pk__in=wanted)}
    subjects = {
        key: Subject(
            shown_title(conversation, listings.get(conversation.listing_id)),
            conversation.get_absolute_url(),
        )
        for key, conversation in conversations.items()
    }
    return [subjects[span.key] if _key_of(span) in places else Subject("", "") for span in spans]


def unread(place: Participant, first_sequence: int) -> QuerySet[Message]:
    """What others said since, read by nobody here and not taken back."""
    after = max(place.read_sequence, first_sequence - 1)
    return _said_by_others(place.pk).filter(
        conversation_id=place.conversation_id, sequence__gt=after
    )


def _said_by_others(participant: Any) -> QuerySet[Message]:
    return Message.objects.filter(kind=Message.Kind.TEXT, deleted_at__isnull=True).filter(
        Q(sender__isnull=True) | ~Q(sender_id=participant)
    )


def _key_of(span: Span) -> Key:
    return span.recipient_id, span.key


def _find_places(spans: Sequence[Span]) -> dict[Key, Any]:
    """With `newest`: the sequence of the last thing that somebody else said there and they have not
    read, if there is any."""
    newest = _said_by_others(OuterRef("pk")).filter(
        conversation_id=OuterRef("conversation_id"), sequence__gt=OuterRef("read_sequence")
    )
    places = (
        Participant.objects.select_related("conversation")
        .filter(
            conversation_id__in={span.key for span in spans},
            user_id__in={span.recipient_id for span in spans},
        )
        .annotate(newest=Subquery(newest.order_by("-sequence").values("sequence")[:1]))
    )
    return {(place.user_id, str(place.conversation_id)): place for place in places}


def _find_blocked(places: Sequence[Participant]) -> set[Any]:
    """The ids of those places whose other side has blocked them, or they the other side."""
    there = Participant.objects.filter(
        conversation_id__in={place.conversation_id for place in places}, left_at__isnull=True
    ).exclude(user__isnull=True)
    others: dict[Any, list[tuple[str, Any]]] = {}
    for conversation_id, role, user_id in there.values_list("conversation_id", "role", "user_id"):
        others.setdefault(conversation_id, []).append((role, user_id))
    people = {user_id for members in others.values() for _, user_id in members}
    hidden = find_all_hidden(people | {place.user_id for place in places})
    return {
        place.pk
        for place in places
        for role, user_id in others.get(place.conversation_id, ())
        if role != place.role and user_id in hidden.get(place.user_id, ())
    }


def _owed(span: Span, place: Any | None, online: set[Any], blocked: set[Any]) -> Owed:
    if place is None:
        return Owed("gone", connected=False)
    return Owed(
        _state_of(span, place, is_blocked=place.pk in blocked),
        connected=span.recipient_id in online,
        last_sequence=place.conversation.last_sequence,
    )


def _state_of(span: Span, place: Any, *, is_blocked: bool) -> State:
    if place.left_at is not None:
        return "left"
    if place.muted:
        return "muted"
    if is_blocked:
        return "blocked"
    after = max(place.read_sequence, span.first_sequence - 1)
    return "owed" if (place.newest or 0) > after else "read"
