from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace.privacy.people import find_person
from marketplace.privacy.refusals import Refused
from marketplace.privacy.services.erasure import erase, request_erasure
from marketplace.privacy.services.sections import count_records


class Command(BaseCommand):
    help = "Erases a person for good: docs/privacy.md says what goes and what stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the address they sign in with")
        parser.add_argument("--yes", action="store_true", help="really do it")
        parser.add_argument(
            "--texts", action="store_true", help="also blank what they wrote to others"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = find_person(options["email"])
        if not options["yes"]:
            about = count_records(user=user)
            raise CommandError(
                f"Account {user.pk} with about {about} records would be erased. Say --yes to do it."
            )
        try:
            asked = request_erasure(user=user, blank_texts=True if options["texts"] else None)
        except Refused as refusal:
            raise CommandError(str(refusal.sentence)) from None
        if not erase(erasure_id=asked.pk):
            raise CommandError(
                "It is being done by a worker, or failed and is tried again (see the log)."
            )
        asked.refresh_from_db()
        for name, count in sorted(asked.counts.items()):
            self.stdout.write(f"{name}: {count}")
        self.stdout.write(f"Account {asked.user_key} is erased.")
