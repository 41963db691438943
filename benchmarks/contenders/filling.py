"""Fills the database of the contenders: `python -m benchmarks.contenders.filling N` makes N rooms
with two people each, and prints them with their sessions as JSON."""

import json
import sys
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def main(rooms: int) -> None:
    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from benchmarks.contenders.models import Conversation

    call_command("migrate", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)  # It comes first by itself.
    people = User.objects.bulk_create(
        User(username=f"person-{number}", password="!") for number in range(2 * rooms)
    )
    made = Conversation.objects.bulk_create(
        Conversation(name=f"room{number}") for number in range(rooms)
    )
    keys = [open_session(person) for person in people]
    print(
        json.dumps(
            [
                {"conversation": room.name, "id": room.pk, "sessions": keys[2 * n : 2 * n + 2]}
                for n, room in enumerate(made)
            ]
        )
    )


def open_session(person: "User") -> str:
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    return str(session.session_key)


if __name__ == "__main__":
    main(int(sys.argv[1]))
