"""Who is waited for beside the journal: drafts whose rows somebody else holds."""

from collections import Counter, deque
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import TypeAlias

from messaging.services.drafts import ConversationHeld, Draft, Held, Outcome

MAXIMUM = 500
MAXIMUM_BYTES = 1024 * 1024

# A draft, and what is called with what became of it.
Entry: TypeAlias = tuple[Draft, Callable[[Outcome], None]]


class HeldDrafts:
    """In the order in which they came. What somebody writes after a draft of theirs that is here
    comes here as well, so that nothing overtakes it: in the same conversation, and in all of them
    where their own row is held. Whoever else writes to a conversation that is held waits with it.
    """

    def __init__(self) -> None:
        self._waiting: deque[Entry] = deque()
        # Not answered yet, by what each keeps others from.
        self._keys: Counter[Hashable] = Counter()
        self._bytes = 0
        self.count = 0

    def add(self, entry: Entry, why: Held | None = None) -> bool:
        """Whether there is room. `why`: what `record` said; None for what only comes after
        others."""
        draft, answer = entry
        size = size_of(draft)
        if self.count >= MAXIMUM or self._bytes + size > MAXIMUM_BYTES:
            return False
        keys = keys_of(draft, why)
        self._keys.update(keys)
        self._bytes += size
        self.count += 1
        self._waiting.append((draft, partial(self._let_go, keys, size, answer)))
        return True

    def come_before(self, draft: Draft) -> bool:
        """Whether this one has to wait its turn here."""
        if not self._keys:
            return False
        return any(key in self._keys for key in keys_before(draft))

    def take_all(self) -> list[Entry]:
        taken = list(self._waiting)
        self._waiting.clear()
        return taken

    def _let_go(
        self, keys: list[Hashable], size: int, answer: Callable[[Outcome], None], outcome: Outcome
    ) -> None:
        self.count -= 1
        self._bytes -= size
        self._keys.subtract(keys)
        for key in keys:
            if not self._keys[key]:
                del self._keys[key]
        answer(outcome)


def group(held: Sequence[tuple[Entry, Held]]) -> list[list[Entry]]:
    """Those that are waited for together, in their order: each person's whose own row is held, and
    each person's of a conversation that is."""
    groups: dict[Hashable, list[Entry]] = {}
    for entry, why in held:
        draft = entry[0]
        key = _pair(draft) if isinstance(why, ConversationHeld) else draft.user_id
        groups.setdefault(key, []).append(entry)
    return list(groups.values())


def size_of(draft: Draft) -> int:
    body = draft.body
    return len(body) if body.isascii() else len(body.encode(errors="replace"))


def _pair(draft: Draft) -> Hashable:
    return draft.user_id, draft.conversation_id


def keys_before(draft: Draft) -> tuple[Hashable, ...]:
    """With any of which a draft that is held goes before this one."""
    return _pair(draft), ("person", draft.user_id), ("conversation", draft.conversation_id)


def keys_of(draft: Draft, why: Held | None) -> list[Hashable]:
    """By which this one goes before others."""
    if why is None:
        return [_pair(draft)]
    if isinstance(why, ConversationHeld):
        return [_pair(draft), ("conversation", draft.conversation_id)]
    return [_pair(draft), ("person", draft.user_id)]
