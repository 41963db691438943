"""`manage.py messaging_doctor`: what is wrong with this installation, in words."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.checks import ERROR, WARNING
from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from messaging.doctor.questions import all_questions
from messaging.doctor.registry import SECONDS, Answer, examine
from notifications.findings import FINE, UNKNOWN

WORDS = {
    FINE: gettext_lazy("fine"),
    UNKNOWN: gettext_lazy("not known"),
    WARNING: gettext_lazy("warning"),
    ERROR: gettext_lazy("error"),
}
# For machines, in no language.
NAMES = {FINE: "fine", UNKNOWN: "unknown", WARNING: "warning", ERROR: "error"}


class Command(BaseCommand):
    help = "Says in words what is wrong with this installation. Exits with 0 when nothing is,"
    help += " with 1 when there are warnings, with 2 when something does not work."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="for machines")
        parser.add_argument(
            "--web-processes", type=int, default=0, help="how many web processes should answer"
        )
        parser.add_argument(
            "--seconds", type=float, default=SECONDS, help="how long to wait for answers"
        )

    def handle(self, **options: Any) -> None:
        questions = all_questions(web_processes=options["web_processes"])
        answers = examine(questions, seconds=options["seconds"])
        self.stdout.write(_as_json(answers) if options["json"] else _as_text(answers))
        if status := _status(answers):
            sys.exit(status)


def _status(answers: list[Answer]) -> int:
    worst = max((answer.level for answer in answers), default=FINE)
    return 2 if worst >= ERROR else 1 if worst >= WARNING else 0


def _as_json(answers: list[Answer]) -> str:
    findings = [
        {
            "question": answer.question.name,
            "level": NAMES[finding.level],
            "sentence": str(finding.msg),
            "advice": str(finding.hint or ""),
        }
        for answer in answers
        for finding in answer.findings
    ]
    return json.dumps({"status": _status(answers), "findings": findings}, indent=2)


def _as_text(answers: list[Answer]) -> str:
    lines = []
    for answer in answers:
        for finding in answer.findings:
            word = str(WORDS[finding.level])
            mark = word.upper() if finding.level >= WARNING else word
            lines.append(f"{mark:<10}{answer.question.title}: {finding.msg}")
            if finding.hint:
                lines.append(f"{'':<10}→ {finding.hint}")
    return "\n".join([*lines, "", _summary(answers)])


def _summary(answers: list[Answer]) -> str:
    return {
        0: _("Nothing is wrong."),
        1: _("It works; some of it should be better."),
        2: _("Something does not work: see above."),
    }[_status(answers)]
