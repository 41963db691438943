"""Who has blocked whom."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Q

from messaging.events import Frame, UserId, iso, public_id
from messaging.exceptions import NotFound
from messaging.models import Block, Participant
from messaging.people import display_name

PAGE = 100


def find_blocks(user_id: UserId, other_ids: Iterable[UserId]) -> list[tuple[UserId, UserId]]:
    """The blocks between a person and some others, as (blocker, blocked). One query."""
    others = [other_id for other_id in other_ids if other_id is not None]
    if user_id is None or not others:
        return []
    between = Q(blocker_id=user_id, blocked_id__in=others) | Q(
        blocker_id__in=others, blocked_id=user_id
    )
    return list(Block.objects.filter(between).values_list("blocker_id", "blocked_id"))


def find_hidden(user_id: UserId, other_ids: Iterable[UserId]) -> set[UserId]:
    """Those of the others who are not told about this person, nor this person about them:
    whether somebody is here or typing stays between people who can write to each other."""
    pairs = find_blocks(user_id, other_ids)
    return {blocked if blocker == user_id else blocker for blocker, blocked in pairs}


def find_all_hidden(user_ids: Iterable[UserId]) -> dict[UserId, set[UserId]]:
    """The same for everybody among these people. One query."""
    people = set(user_ids)
    rows = Block.objects.filter(blocker_id__in=people, blocked_id__in=people)
    hidden: dict[UserId, set[UserId]] = {}
    for blocker, blocked in rows.values_list("blocker_id", "blocked_id"):
        hidden.setdefault(blocker, set()).add(blocked)
        hidden.setdefault(blocked, set()).add(blocker)
    return hidden


def parse_user_id(text: str) -> UserId:
    """A person's id as a URL carries it, written as this app writes it. Raises NotFound."""
    try:
        value = get_user_model()._meta.pk.to_python(text)
    except ValidationError:
        raise NotFound() from None
    if str(value) != text or (isinstance(value, int) and not 0 <= value < 2**63):
        raise NotFound()
    return value


def share_conversation(user_id: UserId, other_id: UserId) -> bool:
    """Whether the two have ever been in a conversation together, also one that somebody left."""
    mine = Participant.objects.filter(user_id=user_id).values("conversation_id")
    theirs = Participant.objects.filter(user_id=other_id, conversation_id__in=mine)
    return user_id != other_id and theirs.exists()


def page_blocked(user: Any, *, before: int | None = None) -> tuple[list[Block], int | None]:
    """Whom a person has blocked, latest first, and where the next page begins."""
    rows = Block.objects.filter(blocker=user).select_related("blocked").order_by("-pk")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: PAGE + 1])
    page = found[:PAGE]
    return page, page[-1].pk if len(found) > PAGE else None


def block_as_dict(block: Block) -> Frame:
    return {
        "id": public_id(block.blocked_id),
        "username": display_name(block.blocked),
        "blocked_at": iso(block.created_at),
    }
