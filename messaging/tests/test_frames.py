"""What comes over a socket: every wrong frame has its code, names its field and ends nothing."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.utils import translation

from messaging import fields, text
from messaging.exceptions import Empty, Invalid, MessagingError, TooLong
from messaging.models import Conversation, Message
from messaging.runtime import in_database
from messaging.services.erasure import erase_person
from messaging.services.record import record
from messaging.tests.conversing import draft_of
from messaging.tests.sockets import Sockets

# What is sent, the code it is answered with, and a word that the sentence must have.
NOT_OBJECTS = [
    ("{", "invalid_json", "JSON"),
    ("hello", "invalid_json", "JSON"),
    ("'", "invalid_json", "JSON"),
    ("{'type': 'ping'}", "invalid_json", "JSON"),
    ('{"type": "ping"} {"type": "ping"}', "invalid_json", "JSON"),
    ('{"message": "a\tb"}', "invalid_json", "JSON"),
    ('{"message": NaN}', "invalid_json", "JSON"),
    ('{"type": "read", "sequence": Infinity}', "invalid_json", "JSON"),
    ('{"type": "read", "sequence": -Infinity}', "invalid_json", "JSON"),
    ("\ufeff{}", "invalid_json", "JSON"),
    (" ", "invalid_json", "JSON"),
    ("[]", "invalid", "object"),
    ("null", "invalid", "object"),
    ("true", "invalid", "object"),
    ("1", "invalid", "object"),
    ('"chat_message"', "invalid", "object"),
    ('[{"message": "Hello"}]', "invalid", "object"),
    ("[" * 60_000, "invalid", "deep"),
    ('{"message":' * 5_000, "invalid", "deep"),
    ('{"message":' + "[" * 30_000 + "]" * 30_000 + "}", "invalid", "deep"),
    ("9" * 10_000, "invalid", ""),
    ('{"type": "read", "sequence": ' + "9" * 10_000 + "}", "invalid", ""),
]
WRONG_FIELDS: list[tuple[dict[str, Any], str, str]] = [
    ({}, "invalid", "message"),
    ({"type": "dance"}, "unknown_type", ""),
    ({"type": ""}, "unknown_type", ""),
    ({"type": "answer"}, "unknown_type", ""),
    ({"type": "websocket.disconnect"}, "unknown_type", ""),
    ({"type": "__init__"}, "unknown_type", ""),
    ({"type": "edit", "sequence": 1}, "invalid", "message"),
    ({"type": "edit", "message": "Hello"}, "invalid", "sequence"),
    ({"type": "edit", "sequence": 1, "message": " "}, "empty", ""),
    ({"type": "edit", "sequence": -1, "message": "Hello"}, "invalid", "sequence"),
    ({"type": "delete"}, "invalid", "sequence"),
    ({"type": "delete", "sequence": 2**63}, "invalid", "sequence"),
    ({"type": "place", "archived": True}, "unknown_type", ""),
    ({"type": "blocks_changed"}, "unknown_type", ""),
    ({"type": None}, "invalid", "type"),
    ({"type": 7}, "invalid", "type"),
    ({"type": ["ping"]}, "invalid", "type"),
    ({"type": {"ping": 1}}, "invalid", "type"),
    ({"type": "\ud800"}, "unknown_type", ""),
    ({"message": None}, "invalid", "message"),
    ({"message": 7}, "invalid", "message"),
    ({"message": ["Hello"]}, "invalid", "message"),
    ({"message": {"text": "Hello"}}, "invalid", "message"),
    ({"message": "half a \ud83d"}, "invalid", "message"),
    ({"message": "\udc00"}, "invalid", "message"),
    ({"message": ""}, "empty", ""),
    ({"message": " \n\t "}, "empty", ""),
    ({"message": "\x00\x07\x1b\x7f\x9f"}, "empty", ""),
    ({"message": "\u3000\u2003"}, "empty", ""),
    ({"message": "x" * 4_001}, "too_long", ""),
    ({"message": "\U0001f600" * 4_001}, "too_long", ""),
    ({"message": "Hello", "client_message_id": "7"}, "invalid", "client_message_id"),
    ({"message": "Hello", "client_message_id": 7}, "invalid", "client_message_id"),
    ({"message": "Hello", "client_message_id": []}, "invalid", "client_message_id"),
    ({"message": "Hello", "client_message_id": "\ud800"}, "invalid", "client_message_id"),
    ({"message": "Hello", "client_message_id": "x" * 36}, "invalid", "client_message_id"),
    ({"message": "Hello", "client_message_id": "１" * 32}, "invalid", "client_message_id"),
    ({"message": "Hello", "client_message_id": "1_1" + "1" * 29}, "invalid", "client_message_id"),
    ({"message": "Hello", "client_message_id": f"{uuid4()}\n"}, "invalid", "client_message_id"),
    ({"message": "Hello", "read": -1}, "invalid", "read"),
    ({"message": "Hello", "read": 2**63}, "invalid", "read"),
    ({"message": "Hello", "read": 10**400}, "invalid", "read"),
    ({"message": "Hello", "read": 1.0}, "invalid", "read"),
    ({"message": "Hello", "read": True}, "invalid", "read"),
    ({"message": "Hello", "read": "second"}, "invalid", "read"),
    ({"message": "Hello", "read": []}, "invalid", "read"),
    ({"message": "Hello", "read": {}}, "invalid", "read"),
    ({"type": "read", "sequence": 2**63}, "invalid", "sequence"),
    ({"type": "resume", "after": 2**64}, "invalid", "after"),
    ({"type": "resume"}, "invalid", "after"),
]


@pytest.fixture
def without_limits(settings: Any) -> None:
    settings.MESSAGING_SEND_LIMITS = []


@pytest.mark.usefixtures("without_limits")
async def test_what_is_no_object_is_answered_and_ends_nothing(
    sockets: Sockets, conversation: Conversation, buyer: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    for sent, code, word in NOT_OBJECTS:
        await ana.send_text(sent)
        error = await ana.expect("error")
        assert set(error) == {"type", "code", "detail"}, sent[:80]
        assert (error["code"], word in error["detail"]) == (code, True), (sent[:80], error)
    await ana.send(message="Still here")
    assert (await ana.expect("ack"))["sequence"] == 2


@pytest.mark.usefixtures("without_limits")
@pytest.mark.parametrize("door", ["room", "inbox"])
async def test_a_wrong_field_is_named_and_ends_nothing(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, door: str
) -> None:
    sol = await sockets.room(seller, conversation.pk)
    where = {} if door == "room" else {"conversation": str(conversation.pk)}
    ana = await (sockets.inbox(buyer) if where else sockets.room(buyer, conversation.pk))
    for frame, code, word in WRONG_FIELDS:
        await ana.send(**frame, **where)
        error = await ana.expect("error")
        assert (error["code"], word in error["detail"]) == (code, True), (frame, error)
    assert await sol.has_heard_all()
    assert await Message.objects.filter(conversation=conversation).acount() == 1
    await ana.send(message="Still here", **where)
    assert (await ana.expect("ack"))["sequence"] == 2


async def test_an_error_names_the_message_it_is_about(
    sockets: Sockets, conversation: Conversation, buyer: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    identifier = str(uuid4())
    for wrong in ({"message": ""}, {"message": "Hello", "read": -1}, {"type": "dance"}):
        await ana.send(**wrong, client_message_id=identifier)
        error = await ana.expect("error")
        assert error["client_message_id"] == identifier
        assert error["detail"].strip().endswith(".")


async def test_unknown_fields_are_ignored(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    await ana.send(
        message="Hello", id=1, revision=99, sender=seller.pk, kind="system", created_at="1999"
    )
    ack = await ana.expect("ack")
    stored = await Message.objects.select_related("sender").aget(pk=ack["id"])
    assert (stored.sender and stored.sender.user_id, stored.kind) == (buyer.pk, "text")
    assert stored.revision == 2


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("  Hello  ", "Hello"),
        ("a\x00b\x07c", "abc"),
        ("one\r\ntwo\rthree\n\tfour", "one\ntwo\nthree\n\tfour"),
        ("e\u0301", "é"),
        ("x" * 4_000, "x" * 4_000),
        (" " * 3_000 + "x" * 4_000 + "\x00" * 3_000, "x" * 4_000),
        ("\U0001f600" * 4_000, "\U0001f600" * 4_000),
        ("</script><b>&amp;", "</script><b>&amp;"),
        ("' OR 1=1; --", "' OR 1=1; --"),
        ("\u2028\u202eabc", "\u202eabc"),
        ("%s %(name)s {0} \\u0000 $[0]", "%s %(name)s {0} \\u0000 $[0]"),
    ],
)
async def test_a_body_is_stored_and_delivered_as_it_is_after_tidying(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any, sent: str, stored: str
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    sol = await sockets.room(seller, conversation.pk)
    await ana.send(message=sent)
    ack = await ana.expect("ack")
    assert (await sol.expect("chat_message"))["message"] == stored
    assert (await Message.objects.aget(pk=ack["id"])).body == stored


async def test_a_binary_frame_closes(
    sockets: Sockets, conversation: Conversation, buyer: Any
) -> None:
    for data in (b'{"type": "ping"}', b"\xff\xfe"):
        ana = await sockets.room(buyer, conversation.pk)
        await ana.send_bytes(data)
        assert await ana.close_code() == 4400


async def test_what_comes_after_the_end_is_not_stored(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    ana = await sockets.room(buyer, conversation.pk)
    sol = await sockets.room(seller, conversation.pk)
    await ana.send_bytes(b"\x00")
    await ana.send(message="Too late")
    assert await ana.close_code() == 4400
    assert await sol.is_silent()
    assert await Message.objects.filter(conversation=conversation).acount() == 1


async def test_details_are_in_the_language_of_the_person(
    sockets: Sockets, conversation: Conversation, buyer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    languages = []

    def note(value: Any) -> str:
        languages.append(translation.get_language())
        raise Empty()

    monkeypatch.setattr(text, "normalise_body", note)
    browser = [(b"accept-language", b"fr, es-MX;q=0.9, en;q=0.1")]
    for preferred in ("es", ""):
        await in_database(_prefer, buyer, preferred)
        ana = await sockets.make(buyer, f"/ws/room/{conversation.pk}/", more=browser)
        assert await ana.open()
        await ana.expect("ready")
        await ana.send(message="Hola")
        await ana.expect("error")
    assert languages == ["es", "es"]


async def test_so_is_what_is_read_for_them(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    await in_database(_prefer, seller, "es")
    await in_database(lambda: erase_person(user=buyer))
    sol = await sockets.make(seller, f"/ws/room/{conversation.pk}/?after=0")
    assert await sol.open()
    assert (await sol.expect("chat_message"))["username"] == "Antiguo miembro"
    names = [one["username"] for one in (await sol.expect("ready"))["participants"]]
    assert "Antiguo miembro" in names
    bad = await sockets.make(seller, f"/ws/room/{conversation.pk}/?after=x")
    assert await bad.open()
    with translation.override("es"), pytest.raises(Invalid) as refusal:
        fields.read_number({"after": "x"}, "after")
    assert (await bad.expect("error"))["detail"] == str(refusal.value.sentence)
    assert "must" not in str(refusal.value.sentence)


def _prefer(user: Any, language: str) -> None:
    user.locale = language
    user.save()


# --- Without a socket ---------------------------------------------------------------------------


def test_numbers_are_whole_and_fit_the_database() -> None:
    for value in (0, 1, "7", 2**63 - 1, str(2**63 - 1)):
        assert fields.read_number({"n": value}, "n") == int(value)
    for absent in (None, ""):
        assert fields.read_number({"n": absent}, "n") is None
    wrong: Any
    for wrong in (-1, 2**63, str(2**63), "-1", "+1", " 1", "1_0", "²", "１", 1.0, True, [], b"1"):
        with pytest.raises(Invalid):
            fields.read_number({"n": wrong}, "n")


def test_uuids_are_taken_as_they_are_usually_written() -> None:
    identifier = uuid4()
    for written in (str(identifier), str(identifier).upper(), identifier.hex):
        assert fields.parse_uuid(written) == identifier
    hexadecimal = identifier.hex
    for wrong in (
        f"{{{identifier}}}",
        identifier.urn,
        f"urn:{hexadecimal}",
        f"----{hexadecimal}",
        f"{hexadecimal[:-1]}",
        f"{hexadecimal[:2]}_{hexadecimal[3:]}",
        f" {hexadecimal[1:]}",
        f"{identifier}\n",
        "١" * 32,
        identifier,
        None,
        7,
    ):
        assert fields.parse_uuid(wrong) is None, wrong


def test_bytes_that_are_not_utf8_are_not_json() -> None:
    with pytest.raises(MessagingError) as raised:
        fields.parse_object(b'{"message": "\xff"}')
    assert raised.value.code == "invalid_json"


def test_a_body_is_measured_after_tidying() -> None:
    assert text.normalise_body("\x00" + "x" * 4_000 + "\n") == "x" * 4_000
    assert len(text.normalise_body("e\u0301" * 4_000)) == 4_000
    with pytest.raises(TooLong):
        text.normalise_body("\u0958" * 2_001)  # NFC takes it apart into two.
    with pytest.raises(Empty):
        text.normalise_body("\x00 \x1f")


@pytest.mark.django_db
def test_events_are_encoded_once_and_as_json(conversation: Conversation, buyer: Any) -> None:
    (event,) = record([draft_of(buyer, conversation, 'Quote " and \u2028 ü')]).events
    frame = json.loads(event["text"])
    assert frame["message"] == 'Quote " and \u2028 ü'
    assert "client_message_id" not in frame
    assert sorted(event["groups"]) == [
        f"consumer.{buyer.pk}",
        f"seller.{conversation.seller_id}",
    ]
