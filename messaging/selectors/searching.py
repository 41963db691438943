"""Finds somebody's conversations by the other person's name, the listing's title or what was said.

First in the newest ones, by reading them: that is where most of what is looked for is, and where
words that are everywhere are found at once. Only when those are not enough, in all of them, by the
indexes over the words and names of all people (migrations 0005 and 0007). SQLite has none, and
reads.
"""

import re
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from messaging.models import Conversation, Message, Participant

# What is read before the indexes are asked: so many conversations, with so many messages in all.
NEWEST_CONVERSATIONS = 500
NEWEST_MESSAGES = 20_000
INDEXES = ("message_words", "conversation_words", "conversation_names")
WHOLE_INDEXES = """
SELECT count(*) FROM pg_index
WHERE indisvalid AND indexrelid IN (SELECT to_regclass(name) FROM unnest(%s::text[]) AS names(name))
"""
TRIGRAM = re.compile(r"\w{3}")  # Without one an index would be read from end to end.


def find_matching(
    rows: QuerySet[Participant], words: str, *, user: Any, order: Sequence[str], enough: int
) -> QuerySet[Participant]:
    """`rows` of `user` with the words; of more than `enough` the first of them in their order."""
    newest = list(
        rows.order_by(*order).values_list("pk", "conversation__last_sequence")[
            : NEWEST_CONVERSATIONS + 1
        ]
    )
    read = _take_readable(newest)
    found = list(
        _read(Participant.objects.filter(pk__in=read), words)
        .order_by(*order)
        .values_list("pk", flat=True)[:enough]
    )
    if len(found) >= enough or len(read) == len(newest):
        return rows.filter(pk__in=found)
    if TRIGRAM.search(words) and _has_indexes_here():
        return _ask_indexes(rows, words, user)
    return _read(rows, words)


def has_indexes() -> bool:
    """Whether this database has those of migrations 0005 and 0007, whole."""
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute(WHOLE_INDEXES, [list(INDEXES)])
        return bool(cursor.fetchone()[0] == len(INDEXES))


_has_indexes_here = cache(has_indexes)  # Migrating ends with a restart.


def _take_readable(newest: Sequence[tuple[int, int]]) -> list[int]:
    totals = accumulate(count for _, count in newest[:NEWEST_CONVERSATIONS])
    return [
        key for (key, _), total in zip(newest, totals, strict=False) if total <= NEWEST_MESSAGES
    ]


def _read(rows: QuerySet[Participant], words: str) -> QuerySet[Participant]:
    """One conversation after the other."""
    messages = Message.objects.filter(
        conversation=OuterRef("conversation"), body__icontains=words, deleted_at__isnull=True
    )
    # A join would have the planner begin with all conversations instead of with the rows.
    title = Conversation.objects.filter(pk=OuterRef("conversation")).values("listing_title")
    return rows.alias(title=Subquery(title)).filter(
        Q(title__icontains=words) | Exists(_others_named(words)) | Exists(messages)
    )


def _others_named(words: str) -> QuerySet[Participant]:
    """Beside somebody's place in a conversation."""
    named = Participant.objects.filter(conversation=OuterRef("conversation"), name__icontains=words)
    return named.exclude(pk=OuterRef("pk"))


def _ask_indexes(rows: QuerySet[Participant], words: str, user: Any) -> QuerySet[Participant]:
    """Everything with the words, whoever's it is, and of that what is among the rows."""
    # One's own name stands there too: those that count are at the places.
    named = Conversation.objects.filter(Q(names__icontains=words) | Q(names=""))
    own = Participant.objects.filter(user=user, left_at__isnull=True, conversation__in=named)
    messages = Message.objects.filter(body__icontains=words, deleted_at__isnull=True)
    titles = Conversation.objects.filter(listing_title__icontains=words)
    matching = titles.values_list("pk").union(
        own.filter(Exists(_others_named(words))).values_list("conversation_id"),
        messages.values_list("conversation_id"),
    )
    return rows.filter(conversation_id__in=matching)
