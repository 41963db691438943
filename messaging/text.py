"""What the body of a message may be: the same text at every door, before it becomes a draft."""

import re
import unicodedata
from typing import Any

from django.utils.translation import gettext as _

from messaging.exceptions import Empty, Invalid, TooLong

MAXIMUM_CODE_POINTS = 4_000
# Before trimming and composing, which can make a text shorter, but hardly by more than this.
LONGEST_INPUT = 4 * MAXIMUM_CODE_POINTS
MOST_MARKS_IN_A_ROW = 30
# Unicode's categories of what leaves no mark on a screen: formatting, spaces, line breaks.
INVISIBLE = {"Cc", "Cf", "Zs", "Zl", "Zp"}
# Everything that Unicode calls a control character, apart from tab and newline.
CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def has_lone_surrogate(text: str) -> bool:
    """Such text has no UTF-8 form: neither the database nor a socket could carry it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def has_endless_marks(text: str) -> bool:
    """More combining marks in a row than any script uses. Normalising sorts each run of them,
    which takes the square of its length (Unicode's Stream-Safe Text Format, UAX #15 §13)."""
    run = 0
    for character in "" if text.isascii() else text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run > MOST_MARKS_IN_A_ROW:
            return True
    return False


def normalise_body(value: Any) -> str:
    """The body as it is stored and compared: NFC, trimmed, without control characters.

    Raises Invalid, Empty or TooLong (1 to 4,000 code points).
    """
    if not isinstance(value, str):
        raise Invalid(_("The field “message” must be text."))
    if has_lone_surrogate(value):
        raise Invalid(_("The field “message” has a character that cannot be stored."))
    if len(value.strip()) > LONGEST_INPUT:
        raise TooLong()
    if has_endless_marks(value):
        raise Invalid(_("The message has more accents on one letter than can be shown."))
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    text = unicodedata.normalize("NFC", CONTROL_CHARACTERS.sub("", text)).strip()
    if all(unicodedata.category(character) in INVISIBLE for character in text):
        raise Empty()
    if len(text) > MAXIMUM_CODE_POINTS:
        raise TooLong()
    return text
