"""After an erasure nothing says who the person was, and the other side still has its thread."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone, translation

from accounts.models import User
from marketplace.listings.models import Listing
from marketplace.listings.services import add_photos
from marketplace.privacy import tasks
from marketplace.privacy.models import DataExport, Erasure
from marketplace.privacy.services import erasure as services
from marketplace.privacy.services.erasure import erase, request_erasure
from marketplace.privacy.services.export import make_export, request_export
from marketplace.privacy.tests.people import enter, find_anywhere, make_photo
from messaging import presence
from messaging.models import Block, Conversation, ConversationLook, Message, Participant
from messaging.runtime import in_database
from messaging.services.reading import mark_read
from messaging.tests.conversing import make_conversation, say
from messaging.tests.sockets import Sockets
from notifications.models import Delivery, Notification
from notifications.services.deliver import deliver
from notifications.services.notify import notify_due
from notifications.sources import get_source
from tests.cast import make_person

NAME = "Canary-name"
ADDRESS = "canary-address@example.com"
TEXT = "canary-text"


@pytest.fixture
def canary(seller: User, listing: Listing, conversation: Conversation, staff: User) -> User:
    """Somebody who has left traces everywhere: sells, buys, blocks, is told things."""
    person = make_person(NAME, email=ADDRESS, time_zone="Pacific/Easter")
    client = enter(person)
    own = Listing.objects.create(
        seller=person, title="Green lamp", slug="green-lamp", text=TEXT, price=5
    )
    add_photos(listing=own, photos=[make_photo()])
    bought = make_conversation(person, seller, title="Chair")
    say(person, bought, f"Can I come? {TEXT}")
    say(seller, bought, "Yes, at six.")
    Block.objects.create(blocker=person, blocked=staff)
    notification = Notification.objects.create(
        recipient=person,
        kind="new_message",
        source="messaging",
        key=str(bought.pk),
        title=f"Chair {TEXT}",
        first_sequence=2,
        last_sequence=2,
    )
    Delivery.objects.create(notification=notification, due_at=timezone.now())
    client.post("/listings/green-lamp/conversation/", {"message": TEXT})
    Client().post("/accounts/login/", {"login": ADDRESS.upper(), "password": "wrong"})
    for model, row in ((User, person), (Participant, Participant.objects.get(user=person))):
        LogEntry.objects.create(
            user=staff,
            content_type=ContentType.objects.get_for_model(model),
            object_id=str(row.pk),
            object_repr=str(row),
            action_flag=CHANGE,
        )
    Authenticator.objects.create(user=person, type="webauthn", data={"name": NAME})
    SocialAccount.objects.create(user=person, provider="x", uid=NAME, extra_data={"mail": ADDRESS})
    ConversationLook.objects.create(
        conversation=conversation, user=person, name=NAME, first_sequence=1, last_sequence=1
    )
    presence.mark_online([person.pk])
    make_export(export_id=request_export(user=person).pk)
    assert find_thread(seller).status_code == 200
    return person


def find_thread(reader: User) -> Any:
    client = Client()
    client.force_login(reader)
    place = Participant.objects.filter(user=reader, conversation__listing_title="Chair").get()
    return client.get(place.conversation.get_absolute_url())


def erase_now(person: User, **options: Any) -> Erasure:
    asked = request_erasure(user=person, **options)
    assert erase(erasure_id=asked.pk)
    asked.refresh_from_db()
    return asked


@pytest.mark.django_db(transaction=True)
def test_nothing_names_somebody_who_was_erased(canary: User, seller: User) -> None:
    """The same search finds all of it before."""
    before = {word: find_anywhere(word) for word in (NAME, ADDRESS, TEXT)}
    named = {"accounts_user", "messaging_participant", "django_admin_log", "mfa_authenticator"}
    named |= {"messaging_conversation", "messaging_conversationlook", "socialaccount_socialaccount"}
    assert named <= before[NAME]
    assert {"accounts_user", "account_emailaddress", "django_session"} <= before[ADDRESS]
    assert "cache" in before[ADDRESS]  # A try to sign in with it.
    assert {"messaging_message", "listings_listing", "notifications_notification"} <= before[TEXT]
    photos = list((Path(settings.MEDIA_ROOT) / "photos").iterdir())
    exports = list(Path(settings.PRIVACY_EXPORTS_ROOT).iterdir())
    assert (len(photos), len(exports)) == (2, 1)
    assert cache.get(f"presence.{canary.pk}")
    assert UserSession.objects.filter(user=canary).exists()

    done = erase_now(canary)

    assert find_anywhere(NAME) == find_anywhere(ADDRESS) == set()
    assert find_anywhere(TEXT) == {"messaging_message"}  # What the other side was told, it keeps.
    assert not any(path.exists() for path in (*photos, *exports))
    assert cache.get(f"presence.{canary.pk}") is None
    assert cache.get(f"last_seen.{canary.pk}") is None
    assert not User.objects.filter(pk=canary.pk).exists()
    assert not UserSession.objects.exists()
    assert not any(ADDRESS in message.to for message in mail.outbox)
    assert done.finished_at
    assert done.counts["places"] == 1
    assert done.counts["listings"] == 1
    assert done.counts["files"] == 2


@pytest.mark.django_db(transaction=True)
def test_the_staffs_log_of_a_conversation_names_nobody(
    conversation: Conversation, staff: User
) -> None:
    """It is about the conversation, which stays."""
    person = make_person(NAME, email=ADDRESS)
    place = f"/admin/messaging/conversation/{conversation.pk}/participants/"
    admin = enter(staff)
    said = admin.post(place, {"person": ADDRESS, "role": "seller"}, follow=True)
    assert f"{NAME} was put in." in said.content.decode()
    put = conversation.participants.get(user=person)
    said = admin.post(place, {"remove": put.pk}, follow=True)
    assert f"{NAME} was taken out." in said.content.decode()
    erase_now(person)
    kept = LogEntry.objects.filter(object_id=str(conversation.pk))
    assert sorted(kept.values_list("change_message", flat=True)) == [
        f"#{put.pk} was put in.",
        f"#{put.pk} was taken out.",
    ]
    assert "django_admin_log" not in find_anywhere(NAME)


@pytest.mark.django_db(transaction=True)
def test_texts_go_too_where_that_is_set(canary: User, seller: User) -> None:
    conversation = Conversation.objects.get(listing_title="Chair")
    before = conversation.revision
    erase_now(canary, blank_texts=True)

    assert find_anywhere(NAME) == find_anywhere(ADDRESS) == find_anywhere(TEXT) == set()
    conversation.refresh_from_db()
    blanked = conversation.messages.get(sequence=1)
    assert blanked.deleted_at
    assert blanked.revision == conversation.revision == before + 1
    assert conversation.messages.get(sequence=2).body == "Yes, at six."
    page = find_thread(seller).content.decode()
    assert "Yes, at six." in page


@pytest.mark.django_db(transaction=True)
def test_the_other_side_keeps_the_thread(canary: User, seller: User) -> None:
    assert NAME in find_thread(seller).content.decode()
    erase_now(canary)

    page = find_thread(seller).content.decode()
    assert "Can I come?" in page
    assert "Former member" in page
    assert NAME not in page
    assert "The other person is no longer here, so nobody would read this." in page
    assert '<form class="composer"' not in page
    inbox = Client()
    inbox.force_login(seller)
    for path in ("/seller/", "/seller/?state=all", "/conversations/"):
        assert NAME not in inbox.get(path).content.decode()
    assert "Former member" in inbox.get("/seller/?state=all").content.decode()
    seller.locale = "es"
    seller.save()
    with translation.override("es"):
        words = translation.gettext("Former member")
    assert words in find_thread(seller).content.decode()


@pytest.mark.django_db(transaction=True)
def test_nobody_writes_to_somebody_who_is_gone(
    canary: User, seller: User, client_of: Callable[[User], Client]
) -> None:
    conversation = Conversation.objects.get(listing_title="Chair")
    erase_now(canary)
    answer = client_of(seller).post(
        f"/conversation/{conversation.pk}/new_message/",
        {"message": "Are you there?"},
        headers={"Accept": "application/json"},
    )
    assert answer.status_code == 403
    assert conversation.messages.count() == 2
    me = conversation.participants.get(user=seller)
    assert me.waiting_since is None
    mark_read(user_id=seller.pk, conversation_id=conversation.pk, sequence=2)


@pytest.mark.django_db(transaction=True)
def test_a_conversation_of_two_who_are_gone_goes(canary: User, seller: User, buyer: User) -> None:
    erase_now(canary)
    assert Conversation.objects.filter(listing_title="Chair").exists()
    erase_now(seller)
    assert not Conversation.objects.filter(listing_title="Chair").exists()
    assert Message.objects.filter(conversation__listing_title="Walnut sideboard").count() == 1
    erase_now(buyer)
    assert (
        Conversation.objects.count() == Message.objects.count() == Participant.objects.count() == 0
    )


@pytest.mark.django_db(transaction=True)
def test_every_session_ends(canary: User, seller: User) -> None:
    phone, desk, other = enter(canary), enter(canary), enter(seller)
    half_way = Client()
    half_way.post("/accounts/password/reset/", {"email": ADDRESS})
    request_erasure(user=canary)
    assert phone.get("/accounts/profile/").status_code == 302
    erase_now(canary)
    assert desk.get("/accounts/profile/").status_code == 302
    assert other.get("/accounts/profile/").status_code == 200
    assert not Session.objects.filter(session_key=phone.session.session_key).exists()
    assert enter_refused()


def enter_refused() -> bool:
    answer = Client().post(
        "/accounts/login/", {"login": ADDRESS, "password": "a long trato password"}
    )
    return answer.status_code == 200


@pytest.mark.django_db(transaction=True)
def test_another_persons_things_stay(canary: User, seller: User, buyer: User, staff: User) -> None:
    Block.objects.create(blocker=buyer, blocked=staff)
    listings, sessions = Listing.objects.filter(seller=seller).count(), enter(seller)
    LogEntry.objects.create(
        user=staff,
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(buyer.pk),
        object_repr=str(buyer),
        action_flag=CHANGE,
    )
    erase_now(canary)
    assert Block.objects.filter(blocker=buyer).exists()
    assert Listing.objects.filter(seller=seller).count() == listings == 1
    assert sessions.get("/accounts/profile/").status_code == 200
    assert LogEntry.objects.filter(object_id=str(buyer.pk)).exists()
    assert Participant.objects.filter(user=seller).count() == 2


# --- Stopped in the middle ------------------------------------------------------------------------

PARTS = [
    "traces.end_sessions",
    "remove_exports_of",
    "traces.forget_in_staff_log",
    "messaging.erase_person",
    "notifications.erase_person",
    "listings.erase_some",
    "delete_files",
    "traces.forget_tries",
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("part", PARTS)
def test_whoever_is_stopped_is_followed(
    part: str, canary: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a worker is killed there: the next one finishes."""
    photos = Path(settings.MEDIA_ROOT) / "photos"
    asked = request_erasure(user=canary)
    owner: Any = services
    *path, name = part.split(".")
    for step in path:
        owner = getattr(owner, step)

    def die(*_arguments: Any, **_options: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, die)
        with pytest.raises(KeyboardInterrupt):
            erase(erasure_id=asked.pk)
    assert not erase(erasure_id=asked.pk)  # The claim has not lapsed.
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        monkeypatch.setattr(tasks.erase_account, "apply_async", run_at_once)
        tasks.find_work()
    asked.refresh_from_db()
    assert asked.finished_at
    assert find_anywhere(NAME) == find_anywhere(ADDRESS) == set()
    assert list(photos.iterdir()) == []


def run_at_once(arguments: tuple[int], **_options: Any) -> None:
    tasks.erase_account(*arguments)


@pytest.mark.django_db(transaction=True)
def test_a_failure_is_tried_again(canary: User, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = request_erasure(user=canary)
    with monkeypatch.context() as patch:
        patch.setattr("notifications.services.erasure.erase_person", lambda **_: 1 / 0)
        assert not erase(erasure_id=asked.pk)
    assert User.objects.filter(pk=canary.pk, is_active=False).exists()
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert erase(erasure_id=asked.pk)
    assert find_anywhere(NAME) == set()


@pytest.mark.django_db(transaction=True)
def test_nothing_can_be_written_from_the_first_moment_on(canary: User, seller: User) -> None:
    conversation = Conversation.objects.get(listing_title="Chair")
    request_erasure(user=canary)
    with pytest.raises(Exception, match="unauthenticated"):
        say(canary, conversation, "One more thing")
    with pytest.raises(Exception, match="forbidden"):
        say(seller, conversation, "Are you there?")
    assert conversation.messages.count() == 2


def test_staff_are_not_erased_while_they_are_staff(staff: User) -> None:
    with pytest.raises(Exception, match="staff"):
        request_erasure(user=staff)
    assert User.objects.get(pk=staff.pk).is_active
    assert not Erasure.objects.exists()


def test_a_copy_that_is_being_made_is_not_finished(buyer: User) -> None:
    export = request_export(user=buyer)
    erase_now(buyer)
    make_export(export_id=export.pk)
    assert not DataExport.objects.exists()
    assert not list(Path(settings.PRIVACY_EXPORTS_ROOT).glob("*"))


# --- The command ----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_command_wants_to_be_sure(canary: User) -> None:
    with pytest.raises(CommandError, match="Say --yes"):
        call_command("erase_person", ADDRESS)
    assert User.objects.get(pk=canary.pk).is_active
    output = StringIO()
    call_command("erase_person", ADDRESS.upper(), "--yes", stdout=output)
    assert f"Account {canary.pk} is erased." in output.getvalue()
    assert "places: 1" in output.getvalue()
    assert find_anywhere(NAME) == set()
    with pytest.raises(CommandError, match="no account"):
        call_command("erase_person", ADDRESS, "--yes")


@pytest.mark.django_db(transaction=True)
def test_the_command_blanks_texts(canary: User) -> None:
    call_command("erase_person", ADDRESS, "--yes", "--texts", stdout=StringIO())
    assert find_anywhere(TEXT) == set()


def test_the_command_refuses_staff(staff: User) -> None:
    with pytest.raises(CommandError, match="staff"):
        call_command("erase_person", staff.email, "--yes")


# --- Sockets --------------------------------------------------------------------------------------


async def test_their_sockets_close_at_once(
    sockets: Sockets, conversation: Conversation, buyer: User, seller: User
) -> None:
    ana, inbox = await sockets.room(buyer, conversation.pk), await sockets.inbox(buyer)
    sol = await sockets.inbox(seller)
    await in_database(lambda: request_erasure(user=buyer))
    assert await ana.close_code() == await inbox.close_code() == 4501
    assert await sol.has_heard_all()


# --- Mails to the other side ----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_is_still_owed_names_nobody(conversation: Conversation, buyer: User) -> None:
    """In the language of whoever gets it."""
    seller = User.objects.get(display_name="Sol")
    seller.locale = "es"
    seller.save()
    say(buyer, conversation, "Can I come today?")
    erase_now(buyer)
    with time_machine.travel(timezone.now() + timedelta(minutes=20)):
        notify_due(source=get_source("messaging"), limit=10)
        deliver(delivery_id=Delivery.objects.get().pk)
    [message] = mail.outbox
    with translation.override("es"):
        words = translation.gettext("Former member")
    assert message.to == ["sol@example.com"]
    assert words in message.from_email
    assert "Can I come today?" in message.body
    assert "Ana" not in f"{message.from_email} {message.subject} {message.body}"
