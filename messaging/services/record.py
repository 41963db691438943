"""The one function that writes messages: a batch of drafts, one transaction, a fixed number of
statements whatever the batch's size (docs/adr/0002-one-write-function.md).

Lock order, here and everywhere: people and sessions (`holding`), conversations, participants, each
by id.
"""

import time
from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone

from messaging import metrics, policies, sessions
from messaging.events import Event, MessageRecord, groups_of, message_event, read_event
from messaging.exceptions import NotFound, Unauthenticated
from messaging.models import Conversation, Message
from messaging.services import record_postgresql, record_sqlite
from messaging.services.drafts import (
    ConversationHeld,
    ConversationRow,
    Draft,
    Held,
    Locked,
    MessageIds,
    NewMessage,
    Outcome,
    ParticipantRow,
    Patience,
    Recorded,
)
from messaging.services.inbox_rows import times_of, touch_inbox_row
from messaging.services.names import write_names
from messaging.services.receipts import answer_retry, answer_twin, make_receipt
from notifications import failpoints

TEXT = Message.Kind.TEXT.value


class Statements(Protocol):
    """What a database's path through `record` consists of. Both within a transaction, which
    `write` may end (`commits`)."""

    def read(self, drafts: Sequence[Draft], patience: Patience) -> Locked: ...
    def write(
        self,
        messages: Sequence[NewMessage],
        conversations: Sequence[ConversationRow],
        participants: Sequence[ParticipantRow],
        *,
        commits: bool,
    ) -> MessageIds: ...


def record(drafts: Sequence[Draft], *, patience: Patience = Patience.LONG) -> Recorded:
    """Store what may be stored and say of each draft what became of it.

    A draft that breaks a rule gets its own refusal and costs the others nothing. The events are
    for publishing after the commit, which is the caller's. Drafts that are left out because
    somebody else holds their rows (`patience`) are Held.
    """
    began = time.perf_counter()
    # Else it is part of something larger, which somebody else ends.
    commits = connection.get_autocommit() and not connection.in_atomic_block
    with transaction.atomic():
        recorded = _Batch(_statements(), drafts, commits=commits).run(patience)
        transaction.on_commit(lambda: metrics.note_commit(recorded.outcomes, began), robust=True)
    failpoints.reach("record.stored")
    return recorded


def _statements() -> Statements:
    return record_postgresql if connection.vendor == "postgresql" else record_sqlite


class _Batch:
    """The working state of one call of `record`. UUIDs stand in its tables as numbers: those are
    hashed without Python, and each is looked up ten times a message."""

    def __init__(self, statements: Statements, drafts: Sequence[Draft], *, commits: bool) -> None:
        self._statements = statements
        self._drafts = drafts
        self._commits = commits
        self._times = times_of(timezone.now())
        self._outcomes: list[Outcome | None] = [None] * len(drafts)
        self._new: list[tuple[int, NewMessage, ParticipantRow]] = []
        self._new_by_client_id: dict[tuple[int, int], NewMessage] = {}
        self._twins: list[tuple[int, NewMessage]] = []
        self._reads: list[tuple[ParticipantRow, Draft]] = []
        self._groups_by_conversation: dict[int, list[str]] = {}
        self._alone: dict[int, bool] = {}
        self._renamed: set[UUID] = set()

    def run(self, patience: Patience) -> Recorded:
        self._read(patience)
        if patience is Patience.NONE:
            self._leave_out_held_conversations()
        self._find_retries()
        for index, draft in enumerate(self._drafts):
            if self._outcomes[index] is None:
                self._take(index, draft)
        return self._write()

    # --- Reading under lock ---------------------------------------------------------------------

    def _read(self, patience: Patience) -> None:
        locked = self._statements.read(self._drafts, patience)
        for index, draft in enumerate(self._drafts if locked.held_by_others else ()):
            if draft.user_id in locked.held_by_others:
                self._outcomes[index] = Held()
        self._alive = locked.alive
        self._stored = {(row.sender_id, row.client_message_id.int): row for row in locked.stored}
        self._conversations = {row.id.int: row for row in locked.conversations}
        self._members: dict[int, list[ParticipantRow]] = {key: [] for key in self._conversations}
        for member in locked.participants:
            # Whose conversation was free only a moment later is left out with it.
            self._members.get(member.conversation_id.int, []).append(member)
        self._places = {
            (key, member.user_id): member
            for key, members in self._members.items()
            for member in members
        }

    def _leave_out_held_conversations(self) -> None:
        """Those that are there and are not locked as a whole."""
        ids = {draft.conversation_id for draft in self._drafts}
        sizes = Conversation.objects.filter(pk__in=ids).annotate(size=Count("participants"))
        for key, size in sizes.values_list("pk", "size"):
            if key.int not in self._conversations or len(self._members[key.int]) < size:
                self._hold_back(key)

    def _hold_back(self, conversation_id: UUID) -> None:
        for index, draft in enumerate(self._drafts):
            if draft.conversation_id == conversation_id and self._outcomes[index] is None:
                self._outcomes[index] = ConversationHeld()

    def _place(self, draft: Draft) -> ParticipantRow | None:
        return self._places.get((draft.conversation_id.int, draft.user_id))

    def _find_retries(self) -> None:
        """Retries are answered first: even to who may no longer write."""
        for index, draft in enumerate(self._drafts if self._stored else ()):
            place = self._place(draft)
            message = place and self._stored.get((place.id, draft.client_message_id.int))
            if message:
                self._outcomes[index] = answer_retry(draft, message)

    # --- Deciding -------------------------------------------------------------------------------

    def _take(self, index: int, draft: Draft) -> None:
        place = self._place(draft)
        if place is None:
            self._outcomes[index] = NotFound()
            return
        refusal = self._refuse(draft, place)
        if refusal is not None:
            self._outcomes[index] = refusal
            return
        twin = self._new_by_client_id.get((place.id, draft.client_message_id.int))
        if twin is not None:  # The same message twice in one batch.
            self._twins.append((index, twin))
            return
        self._number(index, draft, place)

    def _refuse(self, draft: Draft, place: ParticipantRow) -> Outcome | None:
        if draft.session and not sessions.is_valid(
            draft.session, alive=self._alive, password=place.password
        ):
            return Unauthenticated()
        return policies.refuse_writing(
            active=place.active,
            left=place.has_left,
            blocked=place.blocked,
            alone=self._is_alone(place),
            state=self._conversations[draft.conversation_id.int].state,
        )

    def _is_alone(self, place: ParticipantRow) -> bool:
        """Asked once for each place: nobody comes or goes while they are held."""
        alone = self._alone.get(place.id)
        if alone is None:
            alone = self._alone[place.id] = not any(
                member.role != place.role and member.active and not member.has_left
                for member in self._members[place.conversation_id.int]
            )
        return alone

    def _number(self, index: int, draft: Draft, place: ParticipantRow) -> None:
        conversation = self._conversations[draft.conversation_id.int]
        self._move_read_position(draft, place, conversation)
        conversation.last_sequence += 1
        conversation.revision += 1
        conversation.last_message_at = self._times.now
        conversation.changed = True
        message = NewMessage(
            conversation_id=draft.conversation_id,
            sequence=conversation.last_sequence,
            revision=conversation.revision,
            sender_id=place.id,
            kind=TEXT,
            body=draft.body,
            client_message_id=draft.client_message_id,
            created_at=self._times.now,
        )
        # What a process of an older release has not written comes with the next message, too.
        if draft.name and (draft.name != place.name or draft.name not in conversation.names):
            place.name = draft.name
            self._renamed.add(draft.conversation_id)
        self._new.append((index, message, place))
        self._new_by_client_id[place.id, draft.client_message_id.int] = message
        for member in self._members[draft.conversation_id.int]:
            touch_inbox_row(member, sender=place, times=self._times)

    def _move_read_position(
        self, draft: Draft, place: ParticipantRow, conversation: ConversationRow
    ) -> None:
        if draft.read_sequence is None:
            return
        position = min(draft.read_sequence, conversation.last_sequence)
        if position > place.read_sequence:
            place.read_sequence = position
            place.recount = True
            self._reads.append((place, draft))

    # --- Writing --------------------------------------------------------------------------------

    def _write(self) -> Recorded:
        ids: MessageIds = {}
        failpoints.reach("record.storing")
        if self._new:
            ids = self._statements.write(
                [message for _, message, _ in self._new],
                [row for row in self._conversations.values() if row.changed],
                [place for place in self._places.values() if place.changed],
                commits=self._commits and not self._renamed,
            )
        if self._renamed:
            write_names(self._renamed)
        for index, message, _ in self._new:
            self._outcomes[index] = make_receipt(message, ids)
        for index, message in self._twins:
            self._outcomes[index] = answer_twin(self._drafts[index], message, ids)
        outcomes = [outcome for outcome in self._outcomes if outcome is not None]
        return Recorded(
            outcomes=outcomes, events=[*self._message_events(ids), *self._read_events()]
        )

    def _groups(self, conversation_id: UUID) -> list[str]:
        key = conversation_id.int
        if key not in self._groups_by_conversation:
            self._groups_by_conversation[key] = groups_of(self._members[key])
        return self._groups_by_conversation[key]

    def _message_events(self, ids: MessageIds) -> list[Event]:
        return [
            message_event(
                _as_record(message, sender, ids),
                groups=self._groups(message.conversation_id),
                origin=self._drafts[index].origin,
            )
            for index, message, sender in self._new
        ]

    def _read_events(self) -> list[Event]:
        return [
            read_event(
                conversation_id=draft.conversation_id,
                user_id=draft.user_id,
                sequence=place.read_sequence,
                groups=self._groups(draft.conversation_id),
                origin=draft.origin,
            )
            for place, draft in self._reads
        ]


def _as_record(message: NewMessage, sender: ParticipantRow, ids: MessageIds) -> MessageRecord:
    return MessageRecord(
        conversation_id=message.conversation_id,
        id=ids[message.sender_id, message.sequence],
        sequence=message.sequence,
        created_revision=message.revision,
        revision=message.revision,
        body=message.body,
        username=sender.name,
        sender_id=sender.user_id,
        role=sender.role,
        kind=message.kind,
        client_message_id=message.client_message_id,
        created_at=message.created_at,
    )
