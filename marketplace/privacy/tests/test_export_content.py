"""What a copy holds: all of one's own, and of others what was said."""

import json
import zipfile
from datetime import timedelta
from io import BytesIO

import jsonschema  # type: ignore[import-untyped]
import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import User
from marketplace.listings.models import Listing
from marketplace.listings.services import add_photos
from marketplace.privacy.services.archive import SCHEMA, write_archive
from marketplace.privacy.tests.people import enter, make_photo, make_zip, read_whole_zip, read_zip
from messaging.models import Block, Conversation, Participant
from messaging.tests.conversing import make_conversation, say
from notifications.models import Delivery, Notification
from tests.cast import make_person


def test_a_copy_has_what_is_ones_own(
    conversation: Conversation, listing: Listing, buyer: User, seller: User, stranger: User
) -> None:
    say(seller, conversation, "Yes, come and see it.")
    Block.objects.create(blocker=seller, blocked=stranger)
    found = read_zip(make_zip(seller))

    [account] = found["account"]
    assert (account["email"], account["display_name"]) == ("sol@example.com", "Sol")
    assert account["email_addresses"] == [
        {"email": "sol@example.com", "verified": True, "primary": True}
    ]
    assert [row["title"] for row in found["listings"]] == ["Walnut sideboard"]
    [talk] = found["conversations"]
    assert (talk["role"], talk["others"]) == ("seller", [{"name": "Ana", "role": "buyer"}])
    assert [(row["from"], row["own"], row["text"]) for row in found["messages"]] == [
        ("Ana", False, "Is it still there?"),
        ("Sol", True, "Yes, come and see it."),
    ]
    assert [row["name"] for row in found["blocks"]] == ["Teo"]
    assert found["export"]["version"] == 1
    assert found["export"]["records"]["messages"] == 2


def test_a_copy_is_as_its_schema_says(
    conversation: Conversation, listing: Listing, buyer: User, seller: User
) -> None:
    add_photos(listing=listing, photos=[make_photo()])
    tell(seller, conversation)
    Block.objects.create(blocker=seller, blocked=buyer)
    schema = json.loads(SCHEMA.read_text())
    found = read_zip(make_zip(seller))
    assert found.pop("schema") == schema
    for name, content in found.items():
        validator = jsonschema.Draft202012Validator(
            {"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]},
            format_checker=jsonschema.FormatChecker(),
        )
        assert list(validator.iter_errors(content)) == [], name
        assert content, f"{name} is empty and shows nothing"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate([{"name": 7}], {"$ref": "#/$defs/blocks", "$defs": schema["$defs"]})


def tell(user: User, conversation: Conversation) -> Notification:
    notification = Notification.objects.create(
        recipient=user,
        kind="new_message",
        source="messaging",
        key=str(conversation.pk),
        url=conversation.get_absolute_url(),
        title=conversation.listing_title,
        first_sequence=1,
        last_sequence=1,
    )
    Delivery.objects.create(
        notification=notification,
        due_at=timezone.now(),
        trail=[{"at": "2026-03-02T12:00:00+00:00", "what": "created"}],
    )
    return notification


def test_notifications_come_with_their_trail(conversation: Conversation, seller: User) -> None:
    tell(seller, conversation)
    [row] = read_zip(make_zip(seller))["notifications"]
    assert row["url"] == conversation.get_absolute_url()
    assert [entry["what"] for entry in row["deliveries"][0]["trail"]] == ["created"]


def test_photos_are_in_it_as_files(listing: Listing, seller: User) -> None:
    [photo] = add_photos(listing=listing, photos=[make_photo()])
    content = make_zip(seller)
    [row] = read_zip(content)["listings"]
    with default_storage.open(str(photo.large.name)) as kept:
        stored = kept.read()
    with zipfile.ZipFile(BytesIO(content)) as archive:
        assert archive.read(row["photos"][0]) == stored
    default_storage.delete(str(photo.large.name))
    assert read_zip(make_zip(seller))["listings"] == [row]


def test_nothing_of_others_but_what_was_said(
    conversation: Conversation, listing: Listing, buyer: User, seller: User
) -> None:
    seller.email = "canary-address@example.com"
    seller.time_zone = "Pacific/Canary-zone"
    seller.save()
    seller.emailaddress_set.update(email=seller.email)  # type: ignore[attr-defined]
    other = make_person("Canary-other")
    elsewhere = make_conversation(other, seller, title="Canary-title")
    say(other, elsewhere, "Canary-text")
    say(seller, conversation, "What was said to Ana")
    tell(seller, elsewhere)
    Block.objects.create(blocker=seller, blocked=other)

    everything = read_whole_zip(make_zip(buyer))
    assert "What was said to Ana" in everything
    assert "canary" not in everything.lower()
    [talk] = read_zip(make_zip(buyer))["conversations"]
    assert set(talk["others"][0]) == {"name", "role"}
    assert all("id" not in row for row in read_zip(make_zip(buyer))["messages"])
    assert read_whole_zip(make_zip(seller)).lower().count("canary") > 4


def test_a_conversation_that_was_left_ends_there(
    conversation: Conversation, buyer: User, seller: User
) -> None:
    say(seller, conversation, "Before")
    Participant.objects.filter(user=buyer).update(left_at=timezone.now())
    later = timezone.now() + timedelta(hours=1)
    colleague = make_person("Canary-colleague")
    conversation.participants.create(
        user=colleague, role="seller", name="Canary-colleague", joined_at=later
    )
    say(seller, make_conversation(buyer, seller), "Elsewhere")
    conversation.messages.create(
        sequence=3, created_revision=3, revision=3, body="Canary-after", created_at=later
    )
    Conversation.objects.filter(pk=conversation.pk).update(last_sequence=3)

    everything = read_whole_zip(make_zip(buyer))
    assert "Before" in everything
    assert "Elsewhere" in everything
    assert "Canary" not in everything
    assert "Canary-after" in read_whole_zip(make_zip(seller))


def test_deleted_messages_have_no_text(conversation: Conversation, buyer: User) -> None:
    conversation.messages.update(deleted_at=timezone.now())
    [row] = read_zip(make_zip(buyer))["messages"]
    assert (row["deleted"], row["text"]) == (True, "")


def test_a_new_account_has_every_file(stranger: User) -> None:
    found = read_zip(make_zip(stranger))
    assert found["listings"] == found["messages"] == found["notifications"] == []
    assert len(found["account"]) == 1


def test_ways_to_sign_in_come_without_their_secrets(buyer: User) -> None:
    client = enter(buyer)
    Authenticator.objects.create(user=buyer, type="totp", data={"secret": "canary-secret"})
    Authenticator.objects.create(
        user=buyer, type="webauthn", data={"name": "My phone", "credential": "canary-secret"}
    )
    SocialAccount.objects.create(
        user=buyer, provider="somewhere", uid="77", extra_data={"nickname": "Ani"}
    )
    content = make_zip(buyer)
    [account] = read_zip(content)["account"]
    assert [(row["type"], row["name"]) for row in account["authenticators"]] == [
        ("totp", ""),
        ("webauthn", "My phone"),
    ]
    [social] = account["social_accounts"]
    assert (social["uid"], social["profile"]) == ("77", {"nickname": "Ani"})
    [session] = account["sessions"]
    key = str(client.session.session_key)
    assert session["session"] == f"{key[:6]}…"
    everything = read_whole_zip(content)
    for secret in ("canary-secret", buyer.password, key):
        assert secret not in everything


def test_many_conversations_come_in_order(buyer: User, seller: User) -> None:
    for number in range(5):
        made = make_conversation(buyer, seller, title=f"Lamp {number}")
        for text in ("one", "two"):
            say(buyer, made, f"{text} {number}")
    rows = read_zip(make_zip(buyer))["messages"]
    assert len(rows) == 10
    order = [(row["conversation"], row["sequence"]) for row in rows]
    assert order == sorted(order)


def test_it_can_be_stopped_between_records(conversation: Conversation, buyer: User) -> None:
    writing = write_archive(BytesIO(), user=buyer)
    assert [next(writing), next(writing)] == [1, 2]
    writing.close()
