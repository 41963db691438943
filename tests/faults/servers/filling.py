"""Makes the database of a campaign, in a process of the marketplace's own settings.

`python -m tests.faults.servers.filling prepare` migrates and collects the static files;
`… fill PEOPLE LISTINGS` prints the cast as JSON;
`… change_password ID` and `… deactivate ID` end all sessions of one of them, and print what each of
that person's sessions holds from then on;
`… take_out ID CONVERSATION` and `… put_in ID CONVERSATION` are what staff do with who takes part,
as its buyer.
"""

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from accounts.models import User

NAMES = ("Ana", "Sol", "Teo", "Ida", "Leo", "Eva", "Max", "Zoe", "Ben", "Mia", "Jan", "Lea")
# One round of the usual hash: nobody waits for sixty slow ones, and nobody signs in with it.
ROUNDS = 1


def main(arguments: list[str]) -> int:
    django.setup()
    if arguments[0] == "prepare":
        prepare()
    elif arguments[0] == "fill":
        print(json.dumps(fill(int(arguments[1]), int(arguments[2]))))
    elif arguments[0] in ("take_out", "put_in"):
        change_participants(arguments[0], int(arguments[1]), arguments[2])
    else:
        print(json.dumps(end_account(arguments[0], int(arguments[1]))))
    return 0


def prepare() -> None:
    from django.conf import settings
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    if not (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
        call_command("collectstatic", interactive=False, verbosity=0)


def fill(people: int, listings: int) -> dict[str, Any]:
    """`listings` in all, one after the other by the people in turn."""
    from django.contrib.auth.hashers import PBKDF2PasswordHasher
    from django.db import transaction
    from django.utils.crypto import get_random_string

    password = PBKDF2PasswordHasher().encode(get_random_string(20), get_random_string(12), ROUNDS)
    with transaction.atomic():
        made = [add_person(number, password) for number in range(people)]
        offered = [add_listing(number, made[number % people]) for number in range(listings)]
    return {"people": [describe_person(person) for person in made], "listings": offered}


def add_person(number: int, password: str) -> "User":
    from allauth.account.models import EmailAddress

    from accounts.models import User

    name = f"{NAMES[number % len(NAMES)]} {number + 1}"
    email = f"person-{number + 1}@example.org"
    person = User.objects.create(email=email, display_name=name, password=password)
    EmailAddress.objects.create(user=person, email=email, verified=True, primary=True)
    return person


def end_account(how: str, number: int) -> dict[str, Any]:
    from django.utils.crypto import get_random_string

    from accounts.deactivation import deactivate_person
    from accounts.models import User
    from accounts.sessions import end_sessions

    person = User.objects.get(pk=number)
    if how == "deactivate":
        deactivate_person(user=person)
    else:
        person.set_password(get_random_string(20))
        person.save(update_fields=["password"])
        end_sessions(user=person)
    return describe_person(person)


def change_participants(how: str, number: int, conversation: str) -> None:
    from uuid import UUID

    from accounts.models import User
    from messaging.services.participants import add_participant, remove_participant

    staff, key = User(is_staff=True, is_superuser=True), UUID(conversation)
    if how == "put_in":
        add_participant(conversation_id=key, user_id=number, role="buyer", added_by=staff)
    else:
        remove_participant(conversation_id=key, user_id=number, removed_by=staff)


def describe_person(person: "User") -> dict[str, Any]:
    """`session_data` is what each of their sessions holds: a new session is a row with it."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from marketplace.sessions import SessionStore

    content = {
        SESSION_KEY: str(person.pk),
        BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
        HASH_SESSION_KEY: person.get_session_auth_hash(),
    }
    return {
        "id": person.pk,
        "email": person.email,
        "name": person.display_name,
        "session_data": SessionStore().encode(content),
    }


def add_listing(number: int, seller: "User") -> dict[str, Any]:
    from marketplace.listings.services import create_listing

    listing = create_listing(
        seller=seller,
        title=f"Green armchair {number + 1}",
        text="Deep and low, with new springs.",
        price=Decimal(20 + number),
        currency="EUR",
    )
    return {"slug": listing.slug, "title": listing.title, "seller": seller.pk}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
