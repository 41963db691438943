"""Which messages a mail tells of, by what their texts begin with."""

import re

from tests.faults.checker.known import Known

HEAD = re.compile(r"\b\d+ \d+ (?:[0-9a-f-]{36}|[a-z0-9-]+)(?=\|)")
Told = tuple[str, int]


class Texts:
    """Asked when the whole history has been read. A message is known by its first text and by its
    later ones."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self._heads: dict[str, Told] = {}
        self._index()

    def _index(self) -> None:
        for attempts in self.known.attempts.values():
            self._heads.setdefault(head_of(attempts.body), (attempts.conversation, 0))
        for (person, key), message in self.known.by_key.items():
            tried = self.known.attempts.get(key)
            if tried is not None and tried.person == person:
                place = (message.conversation, message.sequence)
                self._heads[head_of(tried.body)] = place
        for place, changes in self.known.changes.items():
            for change in changes:
                if change.body:
                    self._heads[head_of(change.body)] = place

    def find(self, text: str) -> list[Told]:
        """By conversation and sequence, in the order of the text; 0 for one that is not stored."""
        return [self._heads[head] for head in HEAD.findall(text) if head in self._heads]


def head_of(body: str) -> str:
    return body.partition("|")[0]
