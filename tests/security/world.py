"""One conversation with a secret, and everybody there can be around it."""

import copy
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.http.response import HttpResponseBase
from django.test import Client
from django.utils import timezone

from accounts.models import User
from marketplace.listings.models import Listing
from marketplace.privacy import files
from marketplace.privacy.models import DataExport
from messaging import rate_limits
from messaging.models import Block, Conversation, Role
from messaging.services.conversations import start_conversation
from messaging.services.participants import (
    add_participant,
    leave_conversation,
    remove_participant,
)
from tests.cast import PASSWORD, make_person
from tests.surroundings import empty_cache

SECRET = "The key is under mat 8412"
# Who asks, in the order of the columns of the tables.
PEOPLE = (
    "anonymous",
    "stranger",
    "owner",  # The buyer who wrote the message; and of what is not a conversation, its owner.
    "other",  # The seller.
    "blocked",  # A second buyer in it, whom the seller has blocked.
    "left",
    "removed",
    "clerk",  # Staff without any permission.
    "staff",  # A superuser.
    "deactivated",  # A participant whose account was closed, with a session of before.
)
# Who is asked only where it matters.
OTHERS = (
    "looker",  # Staff who may see conversations, and not what was said or who is put in.
    "stale",  # The owner, whose password was typed long ago.
)
NAMES = {
    "looker": "Lou", "owner": "Ana", "other": "Sol", "stranger": "Teo", "blocked": "Bea",
    "left": "Fay", "removed": "Rem", "clerk": "Stan", "staff": "Boss", "deactivated": "Dea",
}  # fmt: skip
STAFF = ("clerk", "looker", "staff")
WEEK_SECONDS = 7 * 24 * 3600
# What a visit leaves behind whoever comes: no effect of what they asked for.
TRACES = {"django_session", "usersessions_usersession"}
# Not the locks: `FOR UPDATE`, `FOR NO KEY UPDATE`.
WRITE = re.compile(
    r"(?<!FOR )(?<!KEY )\b(?:INSERT(?: OR IGNORE)? INTO|UPDATE|DELETE FROM)\s+\"?(\w+)"
)


@dataclass
class World:
    """`clients`: one for each of PEOPLE."""

    conversation: Conversation
    people: dict[str, User]
    values: dict[str, object]
    missing: dict[str, object]
    clients: dict[str, Client] = field(default_factory=dict)

    def words_kept_from(self, who: str, *, takes_part: bool) -> list[str]:
        """What no answer to this person may have a byte of."""
        own = self.people[who].email if who in self.people else ""
        addresses = [person.email for person in self.people.values() if person.email != own]
        return addresses if takes_part else [SECRET, *addresses]


def make_world() -> World:
    people = {
        key: make_person(name, is_staff=key in STAFF, is_superuser=key == "staff")
        for key, name in NAMES.items()
    }
    people["looker"].user_permissions.add(Permission.objects.get(codename="view_conversation"))
    listing = Listing.objects.create(
        seller=people["other"], title="Walnut sideboard", slug="walnut", text="Old.", price=340
    )
    conversation = _fill_conversation(listing, people)
    own = _make_own_things(people["owner"])
    values: dict[str, object] = {
        "conversation_id": conversation.pk,
        "sequence": 1,
        "user_id": people["other"].pk,
        "listing": listing.slug,
        "slug": own.pop("slug"),
        "provider_id": "nobody",
        "uidb36": "1",
        "key": "nonsense",
        "file": "nothing",
        "position": 0,
        **own,
    }
    missing: dict[str, object] = dict.fromkeys(values, "nothing")
    missing |= {"sequence": 99, "user_id": 999_999}
    missing |= {"session_id": 999_999, "pk": 999_999, "position": 9}
    missing |= {"conversation_id": uuid4(), "export_id": uuid4()}
    world = World(conversation, people, values, missing)
    for who in (*PEOPLE, *OTHERS):
        world.clients[who] = _open_browser(world, who)
    return world


def add_passkey(world: World) -> None:
    """Ana's. Only where a route needs one: signing in would ask for it, and it is none really."""
    passkey = Authenticator.objects.create(
        user=world.people["owner"], type="webauthn", data={"name": "Blue key", "credential": {}}
    )
    world.values["pk"] = passkey.pk


def _open_browser(world: World, who: str) -> Client:
    """Signed in, with the password typed once more: what asks for that is open."""
    client = Client(raise_request_exception=False)
    if who == "anonymous":
        return client
    person = world.people["owner" if who == "stale" else who]
    client.force_login(person)
    answer = client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert answer.status_code == 302
    if who == "stale":
        session = client.session
        for record in session["account_authentication_methods"]:
            record["at"] -= WEEK_SECONDS
        session.save()
    if who == "deactivated":
        # Behind the back of everything that ends sessions: this one is still there.
        User.objects.filter(pk=person.pk).update(is_active=False)
    return client


def _fill_conversation(listing: Listing, people: dict[str, User]) -> Conversation:
    receipt = start_conversation(
        listing=listing, buyer=people["owner"], body=SECRET, client_message_id=uuid4()
    )
    key: UUID = receipt.conversation_id
    sides = {"blocked": Role.BUYER, "left": Role.SELLER, "removed": Role.SELLER}
    sides |= {"deactivated": Role.BUYER}
    for who, role in sides.items():
        add_participant(
            conversation_id=key, user_id=people[who].pk, role=role, added_by=people["staff"]
        )
    leave_conversation(user_id=people["left"].pk, conversation_id=key)
    remove_participant(
        conversation_id=key, user_id=people["removed"].pk, removed_by=people["staff"]
    )
    Block.objects.create(blocker=people["other"], blocked=people["blocked"])
    return Conversation.objects.get(pk=key)


def _make_own_things(owner: User) -> dict[str, object]:
    """A listing with a photo, a session elsewhere, a passkey, a copy of the data: all Ana's."""
    own = Listing.objects.create(
        seller=owner, title="Brass lamp", slug="brass-lamp", text="Bright.", price=20
    )
    elsewhere = Client()
    elsewhere.force_login(owner)
    session = UserSession.objects.create(
        user=owner, session_key=elsewhere.session.session_key, ip="203.0.113.9", user_agent="x"
    )
    export = DataExport.objects.create(
        user=owner,
        state=DataExport.State.READY,
        ready_at=timezone.now(),
        expires_at=timezone.now() + timedelta(days=7),
        file_name=f"{'b' * 32}.zip",
        file_size=len(SECRET),
    )
    path = files.path_of(export.file_name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(SECRET.encode())
    name = f"photos/{'a' * 32}.jpg"
    if not default_storage.exists(name):
        default_storage.save(name, ContentFile(b"jpeg"))
    return {
        "slug": own.slug,
        "session_id": session.pk,
        "export_id": export.pk,
        "name": name,
    }


@contextmanager
def watch_writes() -> Iterator[set[str]]:
    """The tables that are written to meanwhile, but for the traces of a visit."""
    written: set[str] = set()

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if found := WRITE.search(sql):
            written.update({found[1]} - TRACES)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield written


@contextmanager
def undone(client: Client) -> Iterator[set[str]]:
    """What happens inside has never happened: not in the database, the limits, the mailbox and
    this client's cookies. Gives the tables that were written to."""
    rate_limits.forget_all()
    cookies = copy.deepcopy(client.cookies)
    with watch_writes() as written, transaction.atomic():
        yield written
        transaction.set_rollback(True)
    client.cookies = cookies
    mail.outbox.clear()
    empty_cache()


def text_of(answer: HttpResponseBase) -> str:
    """Headers and body as one text."""
    content = b"".join(answer) if answer.streaming else getattr(answer, "content", b"")
    return "\n".join([*map(str, answer.items()), str(answer.cookies), content.decode("latin-1")])


def without_own_parts(text: str, values: Iterable[object], answer: HttpResponseBase) -> str:
    """Without what differs from one request to the next, and without what was asked for."""
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)
    for value in (*values, answer.headers.get("X-Request-ID", "")):
        text = text.replace(str(value), "") if str(value) else text
    return text
