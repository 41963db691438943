"""What a frame may be answered with, by docs/protocol.md: judged from the frame's text alone."""

import json
import re
from typing import Any

from tests.model import bodies

Frame = dict[str, Any]
CODES = {
    "invalid_json",
    "invalid",
    "unknown_type",
    "empty",
    "too_long",
    "forbidden",
    "not_found",
    "conflict",
}
TYPES = {"chat_message", "edit", "delete", "read", "typing", "resume", "ping"}
UUID_FORM = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}(\1[0-9a-f]{4}){3}[0-9a-f]{8}", re.IGNORECASE)
REPLAYED = ("chat_message", "message_changed")


class NotJson(Exception):
    pass


def check(text: str, answers: list[Frame], *, in_room: bool) -> None:
    """Exactly one answer, or none where the protocol has none. Raises AssertionError."""
    kinds = [answer["type"] for answer in answers]
    expected = expect(text, in_room=in_room)
    while kinds and kinds[0] in REPLAYED and kinds[-1] in ("ready", "error"):
        kinds.pop(0)
    shown = kinds[0] if len(kinds) == 1 else ("nothing" if not kinds else "several")
    if shown == "error":
        error = answers[-1]
        assert error["code"] in CODES, error
        assert isinstance(error["detail"], str), error
        assert error["detail"], error
        shown = f"error {error['code']}"
    assert shown in expected, (text[:300], expected, answers[:3])


def expect(text: str, *, in_room: bool) -> set[str]:
    """The answers that are right: `nothing`, a type, or `error` with a code."""
    try:
        frame = _parse(text)
    except NotJson:
        return {"error invalid_json"}
    except (RecursionError, ValueError):
        return {"error invalid"}
    if not isinstance(frame, dict) or not isinstance(frame.get("type", ""), str):
        return {"error invalid"}
    kind = frame.get("type", "chat_message")
    if kind not in TYPES:
        return {"error unknown_type"}
    return _expect_of(kind, frame, in_room=in_room)


def _expect_of(kind: str, frame: Frame, *, in_room: bool) -> set[str]:
    if kind == "ping":
        return {"pong"}
    named = in_room or is_uuid(frame.get("conversation"))
    if kind in ("chat_message", "edit", "delete"):
        return _expect_of_writing(kind, frame, named=named)
    if kind == "typing":
        return {"nothing", "error not_found"} if named else {"error invalid"}
    number = _is_number(frame.get("sequence" if kind == "read" else "after"))
    if not (named and number):
        return {"error invalid"}
    right = "ready" if kind == "resume" else "nothing"
    return {right} if in_room else {right, "error not_found"}


def _expect_of_writing(kind: str, frame: Frame, *, named: bool) -> set[str]:
    """Whatever is wrong with a field, or else what the tables decide."""
    wrong = set() if named else {"invalid"}
    if kind != "delete":
        wrong |= bodies.find_wrong(frame.get("message"))
    if kind == "chat_message":
        there = [
            name for name in ("client_message_id", "read") if frame.get(name) not in (None, "")
        ]
        right = {"client_message_id": is_uuid, "read": _is_number}
        wrong |= {"invalid" for name in there if not right[name](frame[name])}
    elif not _is_number(frame.get("sequence")):
        wrong.add("invalid")
    if wrong:
        return {f"error {code}" for code in wrong}
    refusal = "conflict" if kind == "chat_message" else "forbidden"
    return {"ack", "error not_found", f"error {refusal}"}


def _parse(text: str) -> Any:
    def refuse(name: str) -> Any:
        raise NotJson(name)

    try:
        return json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError:
        raise NotJson from None


def is_uuid(value: Any) -> bool:
    return isinstance(value, str) and UUID_FORM.fullmatch(value) is not None


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return re.fullmatch("[0-9]{1,19}", value) is not None and int(value) < 2**63
    return type(value) is int and 0 <= value < 2**63
