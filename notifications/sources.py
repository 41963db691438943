"""The plug between whoever has something to tell people and this app, which tells them.

A source owns its facts: what is due, whether it is still owed, what it says. It is asked again
right before every sending, so that nobody is told about what they have already read. This app
knows sources by their name only and imports none of them; a source registers itself in its
app's `AppConfig.ready`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

State = Literal["owed", "read", "muted", "blocked", "left", "gone"]


@dataclass(frozen=True, slots=True)
class Span:
    """What may be owed to one person.

    `key` names what it is about within its source (a conversation's id), the sequences are the
    span of what is new in it, first and last included.
    """

    recipient_id: Any
    key: str
    first_sequence: int
    last_sequence: int


@dataclass(frozen=True, slots=True)
class Due(Span):
    """Something that may be owed now. `token` is the source's own, hashable, and comes back with
    `settle`."""

    kind: str
    token: Any


@dataclass(frozen=True, slots=True)
class Owed:
    """Whether a span is still owed to its recipient, and why not.

    `connected`: they are looking at the product right now. `detail` goes into the trail, so it
    holds no text and no address; a moment is written in ISO 8601. `last_sequence` is the newest
    now, which may be past the span.
    """

    state: State
    connected: bool
    detail: str = ""
    last_sequence: int = 0


@dataclass(frozen=True, slots=True)
class Subject:
    """What a span is about; `url` is a path on this site or absolute."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class ContentMessage:
    """One message as its recipient sees it; `new` ones are owed, the others are context."""

    name: str
    body: str
    created_at: datetime
    mine: bool
    new: bool


@dataclass(frozen=True, slots=True)
class Content:
    """What a notification shows: oldest message first, `more_count` more unread than shown.

    `url` and `thumbnail_url` are paths on this site or absolute; `thumbnail_url` may be empty.
    """

    title: str
    url: str
    thumbnail_url: str
    other_name: str
    messages: Sequence[ContentMessage] = field(default_factory=list)
    more_count: int = 0


class Source(Protocol):
    """What an app implements to have people notified."""

    name: str

    def claim_due(self, *, now: datetime, limit: int) -> list[Due]:
        """Take what is due, oldest first, for 60 s, in a statement of its own.

        Holds no lock afterwards. What is not settled within that time comes again.
        """
        ...

    def settle(self, dues: Mapping[Due, datetime | None]) -> None:
        """Give back what was claimed: done (None), or due again at a moment.

        Never overwrites a newer time that was set meanwhile.
        """
        ...

    def look(self, spans: Sequence[Span]) -> list[Owed]:
        """Of each in their order. In a fixed number of queries, as the next one."""
        ...

    def subjects(self, spans: Sequence[Span]) -> list[Subject]:
        """Empty ones for whom there is nothing to read any more."""
        ...

    def find_waiting(self, pairs: Collection[tuple[Any, str]]) -> set[tuple[Any, str]]:
        """Those of many recipients and keys for which `look` would say that something is owed and
        that the recipient is connected. In a fixed number of queries; it may leave some out."""
        ...

    def content(self, span: Span) -> Content: ...


_sources: dict[str, Source] = {}


def register(source: Source) -> None:
    """Make a source known. Registering a name again replaces it."""
    _sources[source.name] = source


def unregister(name: str) -> None:
    _sources.pop(name, None)


def registered_sources() -> list[Source]:
    return list(_sources.values())


def get_source(name: str) -> Source:
    """Raises LookupError for a name nobody registered."""
    try:
        return _sources[name]
    except KeyError:
        raise LookupError(f"No notification source is registered as “{name}”.") from None
