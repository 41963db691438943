"""What the message box on a listing's page needs to know (templates/messaging/_ask.html)."""

from dataclasses import replace
from typing import Any

from django.urls import reverse

from messaging.exceptions import MessagingError
from messaging.identifiers import uuid7
from messaging.listings import slug_of
from messaging.models import Conversation, Participant, Role
from messaging.policies import check_can_ask
from messaging.questions import keep_question, read_question
from messaging.selectors.inbox import InboxRow, make_rows

ASKED_BY_ROWS = 25


def asking_context(*, listing: Any, user: Any, session: Any) -> dict[str, Any]:
    """For the page of one listing and whoever looks at it. At most a fixed number of queries."""
    slug = slug_of(listing)
    own = user.is_authenticated and listing.seller_id == user.pk
    existing = None if own else _find_existing(listing, user)
    goes_on = existing is not None and listing.seller_id is not None
    why_not = "" if own or goes_on else _why_not(listing, user)
    question = read_question(session, slug)
    if question and question.error:  # Said once; the text stays.
        keep_question(session, replace(question, error=""))
    return {
        "ask_url": reverse("messaging:start", args=[slug]),
        "can_ask": not own and not why_not,
        "why_not": why_not,
        "existing_conversation": existing,
        "own_listing": own,
        "asked_by": _asked_by(listing, user) if own else [],
        "draft": question.message if question else "",
        "client_message_id": question.client_message_id if question else str(uuid7()),
        "error": question.error if question else "",
    }


def _find_existing(listing: Any, user: Any) -> Conversation | None:
    if not user.is_authenticated:
        return None
    taking_part = Participant.objects.filter(user=user, left_at__isnull=True)
    return Conversation.objects.filter(
        listing_id=listing.pk, buyer_id=user.pk, participants__in=taking_part
    ).first()


def _why_not(listing: Any, user: Any) -> str:
    try:
        check_can_ask(listing=listing, user=user)
    except MessagingError as error:
        return str(error.sentence)
    return ""


def _asked_by(listing: Any, user: Any) -> list[InboxRow]:
    places = (
        Participant.objects.filter(
            user=user, role=Role.SELLER, left_at__isnull=True, conversation__listing_id=listing.pk
        )
        .select_related("conversation")
        .order_by("-last_activity_at", "-pk")[:ASKED_BY_ROWS]
    )
    return make_rows(list(places))
