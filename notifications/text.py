"""Text of strangers, made fit for a place with rules of its own."""

import re

# Control characters, line ends of every script, surrogates, and marks that turn the direction of
# what follows.
NOT_IN_HEADERS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+"
)


def single_line(text: str) -> str:
    """Text that can stand in a header: one line, nothing that could start another. A text that is
    translated late is so here."""
    return " ".join(NOT_IN_HEADERS.sub(" ", str(text)).split())
