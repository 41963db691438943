"""Ways to spoil a story that went well, each with the invariant that it breaks.

They are in the modules beside this one, by what they spoil; here is what several of them use.
"""

import importlib
from collections.abc import Callable
from typing import Any

from tests.faults.final_state import Notification, StoredMessage
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_lines import HERS, Line

Spoil = Callable[[Story], None]
SPOILS: list[tuple[str, Spoil]] = []
SUBJECTS = (
    *("stored", "shown", "told", "rights", "answers", "company", "running", "ends", "refusals"),
    *("handed", "mailed"),
)


def load() -> list[tuple[str, Spoil]]:
    for subject in SUBJECTS:
        importlib.import_module(f"tests.faults.spoiled.{subject}")
    return SPOILS


def breaks(invariant: str) -> Callable[[Spoil], Spoil]:
    def note(spoil: Spoil) -> Spoil:
        SPOILS.append((invariant, spoil))
        return spoil

    return note


def stored(story: Story, sequence: int) -> StoredMessage:
    return story.final.conversations[HERS].messages[sequence - 1]


def find(story: Story, kind: str, state: str, **value: Any) -> Line:
    """The first line of this kind whose value has these parts."""
    return next(
        line
        for line in story.lines
        if (line["kind"], line["state"]) == (kind, state) and value.items() <= line["value"].items()
    )


def find_mute(story: Story) -> Line:
    """Ana's, the last."""
    return [each for each in story.lines if (each["kind"], each["state"]) == ("mute", "ok")][-1]


def frames(story: Story, kind: str = "chat_message") -> list[Line]:
    return [
        line for line in story.lines if line["kind"] == "frame" and line["value"]["type"] == kind
    ]


def notice(story: Story, person: int, key: str = HERS) -> Notification:
    found = story.final.notifications
    return next(each for each in found if (each.recipient, each.key) == (person, key))


def find_asked(story: Story, ended: Line) -> Line:
    asked: Line = next(
        line["value"] for line in story.lines if line["operation"] == ended["operation"]
    )
    return asked


def accept(story: Story, refused: Line) -> None:
    """As if what was refused had been stored and acknowledged."""
    asked = find_asked(story, refused)
    conversation = story.final.conversations[asked["conversation"]]
    message = story.store(conversation, asked["person"], asked["key"], asked["body"])
    refused["state"] = "ok"
    numbers = {"sequence": message.sequence, "revision": message.revision}
    refused["value"] = {"id": message.id, **numbers, "duplicate": False}


def lose_answer(ended: Line) -> Line:
    """What it was."""
    told = dict(ended["value"])
    ended["state"], ended["value"] = "unknown", {"why": "closed"}
    return told


def insert_after(story: Story, line: Line, *new: Line) -> None:
    """A hundredth of a second after it, each after the one before."""
    position = story.lines.index(line)
    for number, each in enumerate(new, start=1):
        each["at"] = round(line["at"] + number / 100, 3)
        story.lines.insert(position + number, each)


def attempt(ended: Line, asked: Line, state: str, answer: Line) -> tuple[Line, Line]:
    """Once more by whoever ended that, as two lines."""
    about = {"who": ended["who"], "kind": ended["kind"], "operation": ended["operation"] + 9000}
    invoked = {**about, "state": "invoke", "value": dict(asked)}
    return invoked, {**about, "state": state, "value": dict(answer)}
