from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from marketplace.privacy import files
from marketplace.privacy.people import find_person
from marketplace.privacy.services.archive import write_archive


class Command(BaseCommand):
    help = "Writes everything kept about a person to a zip: docs/privacy.md says what is in it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the address they sign in with")
        parser.add_argument("--to", required=True, type=Path, metavar="FOLDER", help="where to")

    def handle(self, *args: Any, **options: Any) -> None:
        user = find_person(options["email"])
        path = options["to"] / f"person-{user.pk}.zip"
        path.unlink(missing_ok=True)
        with files.create_private(path) as target:
            records = max(write_archive(target, user=user))
        self.stdout.write(f"{path}: {records} records, {path.stat().st_size} bytes")
