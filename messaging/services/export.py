"""Everything this app keeps of one person, as plain records for a file of theirs.

Of others there is what the person was shown in their conversations: names and texts. No address,
no account's id, and nobody else's read position. Of a conversation they have left, what was said
until then.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db.models import Q, Sum
from django.db.models.functions import Coalesce

from messaging.events import UserId, iso
from messaging.models import Block, Message, Participant
from messaging.people import display_name, shown_name

Record = dict[str, Any]
PLACES = 200
MESSAGES = 1000


def export_person(*, user: Any) -> Mapping[str, Iterable[Record]]:
    """Records by the name of their file, read page by page while they are iterated."""
    return {
        "conversations": _conversations(user.pk),
        "messages": _messages(user.pk),
        "blocks": _blocks(user.pk),
    }


def count_records(*, user: Any) -> int:
    """About how many there will be, for a progress bar."""
    places = Participant.objects.filter(user=user)
    messages = places.aggregate(n=Coalesce(Sum("conversation__last_sequence"), 0))["n"]
    return int(messages) + places.count() + Block.objects.filter(blocker=user).count()


def _places(user_id: UserId) -> Iterator[list[Participant]]:
    after = 0
    rows = Participant.objects.filter(user_id=user_id).select_related("conversation")
    while page := list(rows.filter(pk__gt=after).order_by("pk")[:PLACES]):
        yield page
        after = page[-1].pk


def _members(places: list[Participant]) -> dict[int, Participant]:
    keys = [place.conversation_id for place in places]
    return {member.pk: member for member in Participant.objects.filter(conversation_id__in=keys)}


# --- Conversations --------------------------------------------------------------------------------


def _conversations(user_id: UserId) -> Iterator[Record]:
    for places in _places(user_id):
        members = sorted(_members(places).values(), key=lambda member: member.pk)
        for place in places:
            others = [
                member
                for member in members
                if member.conversation_id == place.conversation_id and member.pk != place.pk
            ]
            yield _conversation(place, others)


def _conversation(place: Participant, others: list[Participant]) -> Record:
    conversation = place.conversation
    return {
        "conversation": str(conversation.pk),
        "listing": conversation.listing_title,
        "state": conversation.state,
        "created_at": iso(conversation.created_at),
        "role": place.role,
        "name": place.name,
        "joined_at": iso(place.joined_at),
        "left_at": iso(place.left_at),
        "read_sequence": place.read_sequence,
        "unread": place.unread_count,
        "archived": place.archived,
        "starred": place.starred,
        "muted": place.muted,
        "others": [
            {"name": shown_name(other), "role": other.role}
            for other in others
            if place.left_at is None or other.joined_at <= place.left_at
        ],
    }


# --- Messages -------------------------------------------------------------------------------------


def _messages(user_id: UserId) -> Iterator[Record]:
    for places in _places(user_id):
        members = _members(places)
        for group in _groups(places):
            for message in _read(group):
                yield _message(message, members, user_id)


def _groups(places: list[Participant]) -> Iterator[list[Participant]]:
    """Small conversations are read together, a long one alone."""
    group: list[Participant] = []
    size = 0
    for place in places:
        length = place.conversation.last_sequence
        if group and size + length > MESSAGES:
            yield group
            group, size = [], 0
        group.append(place)
        size += length
    yield group


def _read(group: list[Participant]) -> Iterator[Message]:
    wanted = Q()
    for place in group:
        wanted |= _shown_to(place)
    rows = Message.objects.filter(wanted)
    if len(group) > 1:
        yield from rows.order_by("conversation_id", "sequence")
        return
    after = 0
    while page := list(rows.filter(sequence__gt=after).order_by("sequence")[:MESSAGES]):
        yield from page
        after = page[-1].sequence


def _shown_to(place: Participant) -> Q:
    # The head as it was read: what is said while this runs cannot make a page longer.
    shown = Q(conversation_id=place.conversation_id, sequence__lte=place.conversation.last_sequence)
    return shown & Q(created_at__lte=place.left_at) if place.left_at else shown


def _message(message: Message, members: dict[int, Participant], user_id: UserId) -> Record:
    sender = members.get(message.sender_id) if message.sender_id else None
    deleted = message.deleted_at is not None
    return {
        "conversation": str(message.conversation_id),
        "sequence": message.sequence,
        "from": shown_name(sender) if sender else None,
        "role": sender.role if sender else None,
        "own": sender is not None and sender.user_id == user_id,
        "kind": message.kind,
        "text": "" if deleted else message.body,
        "created_at": iso(message.created_at),
        "edited_at": iso(message.edited_at),
        "deleted": deleted,
    }


def _blocks(user_id: UserId) -> Iterator[Record]:
    rows = Block.objects.filter(blocker_id=user_id).select_related("blocked").order_by("pk")
    for block in rows.iterator(chunk_size=PLACES):
        yield {"name": display_name(block.blocked), "blocked_at": iso(block.created_at)}
