"""A person goes: their places lose account and name, and the other side keeps the threads.

Every step can be repeated: whoever is stopped in the middle begins anew and finds what is left.
"""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from messaging import presence
from messaging.events import UserId, groups_of, participants_event
from messaging.models import Block, Conversation, ConversationLook, Message, Participant
from messaging.services.inbox_rows import note_changes
from messaging.services.messages import publish_on_commit
from messaging.services.names import write_names
from messaging.services.reading import count_unread
from messaging.services.retention import delete_abandoned

BATCH = 200


def erase_person(*, user: Any, blank_texts: bool = False) -> dict[str, int]:
    """Forget the person, in transactions of bounded size. Gives how many rows of each kind.

    What they wrote stays with whom they wrote it to, unless `blank_texts`. A conversation goes
    when nobody with an account is left in it.
    """
    blocks = Block.objects.filter(Q(blocker=user) | Q(blocked=user)).delete()[0]
    places = texts = 0
    while ids := _next_conversations(user.pk):
        if blank_texts:
            texts += sum(_blank_texts(user.pk, conversation_id) for conversation_id in ids)
        places += _leave_nameless(user.pk, ids, recount=blank_texts)
        delete_abandoned(among=ids)
    Conversation.objects.filter(buyer=user).update(buyer=None)
    Conversation.objects.filter(seller=user).update(seller=None)
    # That somebody looked stays; who it was does not.
    ConversationLook.objects.filter(user=user).update(user=None, name="")
    presence.forget(user.pk)
    return {"places": places, "texts": texts, "blocks": blocks}


def _next_conversations(user_id: UserId) -> list[UUID]:
    rows = Participant.objects.filter(user_id=user_id).order_by("-last_activity_at", "-pk")
    return sorted(rows.values_list("conversation_id", flat=True)[:BATCH])


def _lock(conversation_ids: list[UUID]) -> list[Conversation]:
    """Conversations before participants, each by id, as everywhere."""
    rows = Conversation.objects.select_for_update(no_key=True).filter(pk__in=conversation_ids)
    return list(rows.order_by("pk"))


@transaction.atomic
def _leave_nameless(user_id: UserId, conversation_ids: list[UUID], *, recount: bool) -> int:
    _lock(conversation_ids)
    if recount:
        _recount_others(user_id, conversation_ids)
    changed = Participant.objects.filter(
        user_id=user_id, conversation_id__in=conversation_ids
    ).update(
        user=None,
        name="",
        unread_count=0,
        waiting_since=None,
        archived=False,
        starred=False,
        muted=False,
        notify_at=None,
        notify_by=None,
    )
    write_names(conversation_ids)
    Conversation.objects.filter(pk__in=conversation_ids, buyer_id=user_id).update(buyer=None)
    Conversation.objects.filter(pk__in=conversation_ids, seller_id=user_id).update(seller=None)
    _stop_waiting(conversation_ids)
    note_changes(conversation_ids)
    _tell(conversation_ids)
    return changed


def _tell(conversation_ids: list[UUID]) -> None:
    """Open pages of the others read anew who is there."""
    members: dict[UUID, list[Participant]] = {key: [] for key in conversation_ids}
    for member in Participant.objects.filter(conversation_id__in=conversation_ids):
        members[member.conversation_id].append(member)
    publish_on_commit(
        [
            participants_event(conversation_id=key, groups=groups_of(there))
            for key, there in members.items()
        ]
    )


def _stop_waiting(conversation_ids: list[UUID]) -> None:
    """Nobody can answer somebody who is gone: such a row would be first in an inbox for ever."""
    answerable = Participant.objects.filter(
        conversation=OuterRef("conversation"), user__isnull=False, left_at__isnull=True
    ).exclude(role=OuterRef("role"))
    waiting = Participant.objects.filter(
        ~Exists(answerable), conversation_id__in=conversation_ids, waiting_since__isnull=False
    )
    keys = list(waiting.values_list("pk", flat=True))
    Participant.objects.filter(pk__in=keys).update(waiting_since=None)


def _recount_others(user_id: UserId, conversation_ids: list[UUID]) -> None:
    members = Participant.objects.filter(
        conversation_id__in=conversation_ids, unread_count__gt=0
    ).exclude(user_id=user_id)
    for member in members.order_by("pk"):
        unread = count_unread(member, member.read_sequence)
        Participant.objects.filter(pk=member.pk).update(unread_count=unread)


def _blank_texts(user_id: UserId, conversation_id: UUID) -> int:
    """Every text of theirs in one conversation becomes a deleted message, a batch at a time."""
    blanked, after = 0, 0
    while sequences := _blank_some(user_id, conversation_id, after):
        blanked, after = blanked + len(sequences), sequences[-1]
    return blanked


@transaction.atomic
def _blank_some(user_id: UserId, conversation_id: UUID, after: int) -> list[int]:
    """Each change takes a revision, so that whoever has the thread open gets it by its number."""
    conversation = _lock([conversation_id])[0]
    rows = Message.objects.filter(
        conversation=conversation, sender__user_id=user_id, sequence__gt=after
    ).exclude(body="", original_digest__isnull=True)
    messages, now = list(rows.order_by("sequence")[:BATCH]), timezone.now()
    for message in messages:
        conversation.revision += 1
        message.revision = conversation.revision
        message.deleted_at = message.deleted_at or now
        message.body, message.original_digest = "", None
    fields = ["revision", "deleted_at", "body", "original_digest"]
    Message.objects.bulk_update(messages, fields)
    conversation.save(update_fields=["revision"])
    note_changes([conversation_id])
    return [message.sequence for message in messages]
