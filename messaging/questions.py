"""Questions typed on listings' pages, kept in the visitor's session: through signing in or up until
they are sent, or with what was wrong with them until it is mended."""

from dataclasses import asdict, dataclass
from typing import Any

KEY = "messaging_questions"
MOST = 5


@dataclass(frozen=True, slots=True)
class Question:
    listing: str
    message: str
    client_message_id: str
    error: str = ""
    waits_for_sign_in: bool = False


def keep_question(session: Any, question: Question) -> None:
    """One for each listing, the newest few."""
    others = {key: kept for key, kept in session.get(KEY, {}).items() if key != question.listing}
    session[KEY] = dict([*others.items(), (question.listing, asdict(question))][-MOST:])


def read_question(session: Any, listing: str) -> Question | None:
    """The one about this listing, if there is one."""
    kept = session.get(KEY, {}).get(listing)
    return Question(**kept) if kept else None


def forget_question(session: Any, listing: str) -> None:
    if listing in session.get(KEY, {}):
        session[KEY] = {key: kept for key, kept in session[KEY].items() if key != listing}
