from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from marketplace.listings.demo.seed import seed


class Command(BaseCommand):
    help = "Adds the demo people and listings where they are missing. In debug only."
    requires_system_checks = ()  # It runs at every start of `bin/dev`.

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError(
                "Demo people have a public password: they are added in debug only (DEBUG=1)."
            )
        if seed():
            self.stdout.write("Added the demo people and listings.")
