"""Two people, a listing and a conversation for each row of the table, made quickly."""

from importlib import import_module
from typing import Any
from uuid import uuid4

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

from accounts.models import User
from marketplace.listings.models import Listing
from messaging.services.conversations import start_conversation


def make(name: str) -> dict[str, Any]:
    buyer, seller = make_person(f"{name}-buyer"), make_person(f"{name}-seller")
    (slug,) = make_listings(seller.pk, name, 1)
    receipt = start_conversation(
        listing=Listing.objects.get(slug=slug),
        buyer=buyer,
        body="Is it still there?",
        client_message_id=uuid4(),
    )
    return {
        "conversation": str(receipt.conversation_id),
        "listing": slug,
        "buyer": describe(buyer),
        "seller": describe(seller),
    }


def make_person(name: str) -> User:
    """With a verified address and no password, which would take longer than everything else."""
    person = User.objects.create_user(f"{name}@example.com", None, display_name=name[:60])
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


def describe(person: User) -> dict[str, Any]:
    (session,) = make_sessions(person.pk, 1)
    return {"id": person.pk, "email": person.email, "session": session}


def make_listings(seller: int, name: str, count: int) -> list[str]:
    slugs = [f"{name}-{seller}-{number}" for number in range(count)]
    Listing.objects.bulk_create(
        Listing(seller_id=seller, title=slug, slug=slug, text="As good as new.", price=10)
        for slug in slugs
    )
    return slugs


def make_sessions(person: int, count: int) -> list[str]:
    user = User.objects.get(pk=person)
    keys = []
    for _ in range(count):
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        keys.append(str(session.session_key))
    return keys
