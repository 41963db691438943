"""A question typed on a listing's page, kept in the visitor's session: through signing in or up
until it is sent, or with what was wrong with it until it is mended."""

from dataclasses import asdict, dataclass
from typing import Any

KEY = "messaging_question"


@dataclass(frozen=True, slots=True)
class Question:
    listing: str
    message: str
    client_message_id: str
    error: str = ""
    waits_for_sign_in: bool = False


def keep_question(session: Any, question: Question) -> None:
    session[KEY] = asdict(question)


def read_question(session: Any, listing: str) -> Question | None:
    """The one about this listing, if there is one."""
    kept = session.get(KEY)
    return Question(**kept) if kept and kept.get("listing") == listing else None


def forget_question(session: Any) -> None:
    session.pop(KEY, None)
