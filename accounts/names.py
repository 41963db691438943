"""What a display name may be."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

SHORTEST = 2
LONGEST = 60
ADDRESS = re.compile(r"\S@\S")
# Control characters, lone surrogates, line and paragraph separators, and what turns the direction
# of the text around it: a name stands in the middle of other people's pages.
REFUSED_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}
REFUSED_CHARACTERS = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_display_name(value: str) -> str:
    """The name in NFC with single spaces. Raises ValidationError with a sentence."""
    if any(_is_refused(character) for character in value):
        raise ValidationError(_("Use letters, digits and signs only."), code="characters")
    name = " ".join(unicodedata.normalize("NFC", value).split())
    if not SHORTEST <= len(name) <= LONGEST:
        raise ValidationError(_("Use between 2 and 60 characters."), code="length")
    if not any(character.isalnum() for character in name):
        raise ValidationError(_("Use at least one letter or digit."), code="characters")
    if ADDRESS.search(name):
        raise ValidationError(
            _("This looks like an e-mail address. Everybody sees this name: use another one."),
            code="address",
        )
    return name


def _is_refused(character: str) -> bool:
    return unicodedata.category(character) in REFUSED_CATEGORIES or character in REFUSED_CHARACTERS
