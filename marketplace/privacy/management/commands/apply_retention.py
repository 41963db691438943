from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from marketplace.privacy.services.retention import apply_retention, count_due


class Command(BaseCommand):
    help = "Deletes what is kept no longer than the settings say, and prints how much it was."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count")
        parser.add_argument(
            "--seconds", type=float, default=3600.0, help="stop after about so long"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        counts = count_due() if options["dry_run"] else apply_retention(seconds=options["seconds"])
        for name, count in counts.items():
            self.stdout.write(f"{name}: {count}")
