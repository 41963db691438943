"""Sessions that have expired go: a fast `clearsessions` (see `services.sessions`)."""

from typing import Any

from django.core.management.base import BaseCommand

from messaging.services.sessions import delete_expired


class Command(BaseCommand):
    help = "Delete expired sessions from the database, a thousand at a time. Once a day."

    def handle(self, *args: Any, **options: Any) -> None:
        gone = 0
        while deleted := delete_expired():
            gone += deleted
        self.stdout.write(f"{gone} expired sessions deleted.")
