"""What is wrong with the text of a message, by docs/protocol.md alone: one character at a time."""

import unicodedata
from typing import Any

MOST_CODE_POINTS = 4_000
MOST_MARKS = 30
INVISIBLE = {"Cc", "Cf", "Zs", "Zl", "Zp"}


def normalise(body: str) -> str:
    """As it is stored and compared."""
    lines = "\n".join(body.replace("\r\n", "\n").split("\r"))
    kept = "".join(sign for sign in lines if not is_control(sign))
    return unicodedata.normalize("NFC", kept).strip()


def is_control(sign: str) -> bool:
    return unicodedata.category(sign) == "Cc" and sign not in "\n\t"


def find_wrong(body: Any) -> set[str]:
    """The codes of which one is the answer. None for a body that can be stored."""
    if not isinstance(body, str) or any(0xD800 <= ord(sign) <= 0xDFFF for sign in body):
        return {"invalid"}
    if has_endless_marks(body):  # Normalising them would take too long to count what is left.
        return {"invalid"} if len(body) <= MOST_CODE_POINTS else {"invalid", "too_long"}
    text = normalise(body)
    if all(unicodedata.category(sign) in INVISIBLE for sign in text):
        # So much of nothing is too long as well.
        return {"empty"} if len(body.strip()) <= 4 * MOST_CODE_POINTS else {"empty", "too_long"}
    if len(text) > MOST_CODE_POINTS:
        return {"too_long"}
    return set()


def has_endless_marks(body: str) -> bool:
    """Of what is left without control characters, each taken apart into its marks."""
    run = 0
    for sign in body:
        if is_control(sign):
            continue
        marks = unicodedata.normalize("NFD", sign)
        run = run + 1 if unicodedata.combining(marks[0]) else 0
        if run > MOST_MARKS:
            return True
    return False
