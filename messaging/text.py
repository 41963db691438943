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
# Two marks in one character, which by itself counts as none.
MARKS_IN_ONE = "\u0f73\u0f75\u0f81"
# Unicode's categories of what leaves no mark on a screen: formatting, spaces, line breaks.
INVISIBLE = {"Cc", "Cf", "Zs", "Zl", "Zp"}
# Everything that Unicode calls a control character, apart from tab and newline.
CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def most_bytes(text: str) -> int:
    """What a text may take, in memory or on its way. Asked twice it says the same, other than
    `sys.getsizeof`, which counts what Python remembers of a text once somebody has encoded it."""
    return len(text) if text.isascii() else 4 * len(text)


def has_lone_surrogate(text: str) -> bool:
    """Such text has no UTF-8 form: neither the database nor a socket could carry it."""
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def has_endless_marks(text: str) -> bool:
    """More combining marks in a row than any script uses. Normalising sorts each run of them,
    which takes the square of its length (Unicode's Stream-Safe Text Format, UAX #15 §13).

    To be asked about the text that is normalised and no other: what is taken out of it later, a
    control character for instance, would join two runs.
    """
    run = 0
    for character in "" if text.isascii() else text:
        is_mark = unicodedata.combining(character) or character in MARKS_IN_ONE
        run = run + 1 if is_mark else 0
        if run > MOST_MARKS_IN_A_ROW:
            return True
    return False


def leaves_no_mark(text: str) -> bool:
    """Nothing of it is seen on a screen."""
    # The first one decides, nearly always; a generator would take longer to make.
    for character in text:  # noqa: SIM110
        if unicodedata.category(character) not in INVISIBLE:
            return False
    return True


def compose(text: str) -> str | None:
    """The text in NFC, without control characters, with one kind of line end. None for one that
    would take long (`has_endless_marks`)."""
    if text.isascii() and text.isprintable():
        return text  # As most messages are: nothing of all this is in it.
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    printable = CONTROL_CHARACTERS.sub("", lines)
    return None if has_endless_marks(printable) else unicodedata.normalize("NFC", printable)


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
    composed = compose(value)
    if composed is None:
        raise Invalid(_("The message has more accents on one letter than can be shown."))
    text = composed.strip()
    if leaves_no_mark(text):
        raise Empty()
    if len(text) > MAXIMUM_CODE_POINTS:
        raise TooLong()
    return text
