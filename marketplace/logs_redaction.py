"""The last line of defence of the logs: nothing that people write, no secret, no full address.

Code does not log such things in the first place. What libraries log is not ours to choose, and an
exception's message carries whatever was being worked on, so no message of any exception is kept:
its type, what is known to be harmless about it, and where it happened have to do.
"""

import errno
import re
import sys
import traceback
from collections.abc import Iterator
from itertools import islice
from typing import Any

LONGEST = 2000  # Characters of one value.
LONGEST_PATH = 200
MOST_ITEMS = 50  # Of one list or dictionary.
DEEPEST = 5  # Of lists and dictionaries in each other.

# This runs on the event loop, over what strangers send: each expression is linear. Those that look
# for something behind a run of characters take the run in any case, so that no run is read twice.
URL_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@")
ADDRESS = re.compile(
    r"([^\s@<>()\[\]\"',;:/=&?%*])[^\s@<>()\[\]\"',;:/=&?%*]*(?:(?:@|%40)([\w.-]+))?"
)
QUERY = re.compile(r"([^\s?\"']+)(\?[^\s\"']+)?")
NAMED = re.compile(
    r"(?i)\b(\w*(?:password|passwd|token|secret|session(?:id)?|cookie|authorization|key|code))"
    r"([\"']?\s*[=:]\s*)(?:Bearer\s+|Basic\s+)?[\"']?[^\s\"'&,;)}\]]+[\"']?"
)
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# What looks like a key: session keys, links for new passwords, signed values.
OPAQUE = re.compile(r"(?<![\w:-])(?=[\w:-]*\d)(?=[\w:-]*[A-Za-z])[\w:-]{24,}")
HIDDEN = "***"


def redact(text: str) -> str:
    """Without credentials, keys, queries of URLs and full addresses."""
    text = URL_CREDENTIALS.sub(f"{HIDDEN}@", shorten(text, LONGEST))
    text = QUERY.sub(_hide_query, text)
    text = NAMED.sub(rf"\1\2{HIDDEN}", text)
    text = ADDRESS.sub(_hide_address, text)
    return OPAQUE.sub(_hide_opaque, text)


def shorten(text: str, most: int) -> str:
    """Ends where a word does: half a key or half an address looks like neither, and would stay."""
    if len(text) <= most:
        return text
    return text[: 1 + max(text.rfind(mark, 0, most) for mark in "/ \n")] + "…"


def _hide_query(found: re.Match[str]) -> str:
    return f"{found[1]}?{HIDDEN}" if found[2] and "/" in found[1] else found[0]


def _hide_address(found: re.Match[str]) -> str:
    return f"{found[1]}{HIDDEN}@{found[2]}" if found[2] else found[0]


def _hide_opaque(found: re.Match[str]) -> str:
    """Ids of rows are what one looks for in a log; they open nothing."""
    return found.group() if UUID.fullmatch(found.group()) else HIDDEN


def redact_value(value: Any, depth: int = 0) -> Any:
    """For JSON: numbers and nothing stay, lists and dictionaries keep their shape."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict | list | tuple) and depth == DEEPEST:
        return "…"
    if isinstance(value, dict):
        items = islice(value.items(), MOST_ITEMS)
        return {shorten(str(key), LONGEST_PATH): redact_value(v, depth + 1) for key, v in items}
    if isinstance(value, list | tuple):
        return [redact_value(inner, depth + 1) for inner in value[:MOST_ITEMS]]
    return redact(describe(value) if isinstance(value, BaseException) else str(value))


def describe(error: BaseException) -> str:
    """Its type, and what is known to be harmless: numbers and names out of code and schema."""
    known: list[str] = []
    if isinstance(error, OSError) and error.errno:
        known.append(errno.errorcode.get(error.errno, str(error.errno)))
    for name in ("sqlstate", "sqlite_errorname", "smtp_code"):
        if value := getattr(error, name, None):
            known.append(str(value))
    if constraint := getattr(getattr(error, "diag", None), "constraint_name", None):
        known.append(str(constraint))
    return type(error).__name__ + (f"({', '.join(known)})" if known else "")


def describe_traceback(error: BaseException) -> str:
    """As Python prints it, causes first, without a message."""
    parts = [_describe_one(one) for one in reversed(list(_causes(error)))]
    return "\n".join(parts)


def _describe_one(error: BaseException) -> str:
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"Traceback (most recent call last):\n{frames}{describe(error)}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def hide_messages(text: str, *errors: BaseException | None) -> str:
    """Without what these exceptions, their causes and the one being handled now say."""
    for error in (*errors, sys.exc_info()[1]):
        for one in _causes(error):
            for said in _sayings(one):
                text = text.replace(said, describe(one))
    return text


def _sayings(error: BaseException) -> list[str]:
    """Longest first, so that none leaves a part of another."""
    said = {_printed(error, repr), _printed(error, str), *(str(part) for part in error.args)}
    return sorted((text for text in said if len(text) > 2), key=len, reverse=True)


def _printed(error: BaseException, printer: Any) -> str:
    try:
        return str(printer(error))
    except Exception:  # A broken __str__ must not cost the record.
        return ""
