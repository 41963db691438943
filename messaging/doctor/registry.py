"""The doctor's questions, all asked at once, each with a deadline: what hangs is a finding too."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.core.checks import CheckMessage
from django.db import DatabaseError, connections
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from notifications.failures import describe_failure
from notifications.findings import FINE, unknown, wrong

Ask = Callable[[], Iterable[CheckMessage]]

SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Question:
    """`name` for machines, `title` for people (lazily translated)."""

    name: str
    title: Any
    ask: Ask


@dataclass(slots=True)
class Answer:
    question: Question
    findings: list[CheckMessage] = field(default_factory=list)

    @property
    def level(self) -> int:
        return max((finding.level for finding in self.findings), default=FINE)


_questions: dict[str, Question] = {}


def register(name: str, title: Any, ask: Ask) -> None:
    """Registering a name again replaces it."""
    _questions[name] = Question(name, title, ask)


def registered_questions() -> list[Question]:
    return list(_questions.values())


def examine(questions: list[Question], *, seconds: float = SECONDS) -> list[Answer]:
    """Ask everything at once; after `seconds` whatever has not been answered is a finding."""
    waiting = [(Answer(question), threading.Event()) for question in questions]
    language = get_language()
    for answer, answered in waiting:
        # A daemon: one that hangs does not keep the process from ending.
        thread = threading.Thread(target=_ask, args=(answer, answered, language), daemon=True)
        thread.start()
    until = time.monotonic() + seconds
    return [
        answer
        if answered.wait(max(0.0, until - time.monotonic()))
        else Answer(answer.question, [_no_answer(seconds)])
        for answer, answered in waiting
    ]


def _ask(answer: Answer, answered: threading.Event, language: str | None) -> None:
    try:
        with override(language):
            answer.findings = _findings(answer.question)
    finally:
        connections.close_all()  # This thread's own.
        answered.set()


def _findings(question: Question) -> list[CheckMessage]:
    try:
        return list(question.ask())
    except DatabaseError:
        return [unknown(_("This could not be read: the database or its tables are not there."))]
    except Exception as error:
        failure = describe_failure(error)
        return [unknown(_("This could not be looked at: %(failure)s.") % {"failure": failure})]


def _no_answer(seconds: float) -> CheckMessage:
    return wrong(
        _("There was no answer within %(seconds)d seconds.") % {"seconds": seconds},
        _("Something hangs: look at the findings above, then ask again."),
    )
