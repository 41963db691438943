"""What every body in a campaign says of itself: who wrote it, and where it belongs."""

import re

# The author, the how-manieth that is of theirs, and a conversation or, of what begins one, a
# listing (`Person.write`). A mail may break the line in between.
HEAD = re.compile(r"\b(\d+)\s+\d+\s+([0-9a-z-]+)\|")
Author = tuple[int, str]


def find_authors(text: str) -> set[Author]:
    """Of all bodies in a text, whatever stands around them: who wrote it, and where it belongs."""
    return {(int(person), place) for person, place in HEAD.findall(text)}
