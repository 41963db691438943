"""Reads the fields of a frame, a JSON body or a form. Each says which field is wrong."""

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _

from messaging.exceptions import Invalid, InvalidJson
from messaging.identifiers import uuid7
from messaging.text import has_lone_surrogate

LARGEST_NUMBER = 2**63 - 1
LONGEST_WRITTEN_UUID = 36
WRITTEN_UUID = re.compile("[0-9a-f]{8}(-?)[0-9a-f]{4}(\\1[0-9a-f]{4}){3}[0-9a-f]{8}", re.IGNORECASE)

Fields = Mapping[str, Any]


def parse_object(text: str | bytes) -> dict[str, Any]:
    """A JSON object. Raises InvalidJson, or Invalid when it is JSON but no such thing."""
    try:
        value = _decoder.decode(text)
    except (ValueError, RecursionError):
        value = _parse_with_care(text)
    if not isinstance(value, dict):
        raise Invalid(_("This must be a JSON object."))
    return value


# Ten times as fast as Python's own, and stricter: what it refuses may be JSON all the same.
_decoder = msgspec.json.Decoder()
_NOT_JSON = (json.JSONDecodeError, UnicodeDecodeError)


def _parse_with_care(text: str | bytes) -> Any:
    """What is not even JSON is told from what is none of ours."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise Invalid(_("This is nested too deeply.")) from None
    except ValueError as error:
        # Digits beyond Python's limit for integers are JSON, only not a number of ours.
        raise (InvalidJson() if isinstance(error, _NOT_JSON) else Invalid()) from None


def _refuse_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(name, name, 0)  # NaN and Infinity are Python's, not JSON.


def read_number(fields: Fields, name: str) -> int | None:
    """A whole number of 0 … 2^63−1, as such or as the digits of a form; None when absent."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19:
        value = int(value)
    if type(value) is not int or not 0 <= value <= LARGEST_NUMBER:
        raise Invalid(_("The field “%(name)s” must be a whole number.") % {"name": name})
    return value


def require_number(fields: Fields, name: str) -> int:
    value = read_number(fields, name)
    if value is None:
        raise Invalid(_("The field “%(name)s” is missing.") % {"name": name})
    return value


def require_flag(fields: Fields, name: str) -> bool:
    """1 or 0, as a form and as JSON write them; JSON's own words for it too."""
    value = fields.get(name)
    if value in ("1", "0"):
        return bool(value == "1")
    if type(value) in (int, bool) and value in (0, 1):
        return bool(value)
    raise Invalid(_("The field “%(name)s” must be 1 or 0.") % {"name": name})


def parse_uuid(value: Any) -> UUID | None:
    """A UUID in its usual written form, else None. (`uuid.UUID` also takes
    braces, URNs, underscores and the digits of every script.)"""
    if not isinstance(value, str):
        return None
    try:
        return msgspec.convert(value, UUID)
    except (msgspec.ValidationError, UnicodeEncodeError):
        return None


def read_client_message_id(fields: Fields) -> UUID:
    """The client's id for its message, or a new one when it gives none (no safe retry then)."""
    value = fields.get("client_message_id")
    if value is None or value == "":
        return uuid7()
    identifier = parse_uuid(value)
    if identifier is None:
        raise Invalid(_("The field “client_message_id” must be a UUID."))
    return identifier


def read_type(frame: Fields) -> str:
    """The type of a frame; one that says none is a message."""
    value = frame.get("type", "chat_message")
    if not isinstance(value, str):
        raise Invalid(_("The field “type” must be text."))
    return value


def require_conversation_id(frame: Fields) -> UUID:
    identifier = parse_uuid(frame.get("conversation"))
    if identifier is None:
        raise Invalid(_("The field “conversation” must be a UUID."))
    return identifier


def echo_client_message_id(frame: Fields) -> str | None:
    """What the client called its message, for the answer to a frame that could not be used."""
    value = frame.get("client_message_id")
    return value if isinstance(value, str) and WRITTEN_UUID.fullmatch(value) else None


def forget_all_but_id(frame: dict[str, Any]) -> None:
    """What its answer still needs. A frame that waits for one must not keep its 64 KiB meanwhile,
    which as objects of Python can be megabytes."""
    identifier = frame.get("client_message_id")
    frame.clear()
    if isinstance(identifier, str) and len(identifier) <= LONGEST_WRITTEN_UUID:
        frame["client_message_id"] = identifier


def has_unstorable_text(value: str) -> bool:
    """NUL and lone surrogates: no database takes them, not even to search for."""
    return "\x00" in value or has_lone_surrogate(value)
