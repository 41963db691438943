"""Spoils what is stored: I1–I3."""

from copy import deepcopy

from tests.faults.spoiled.spoiling import breaks, find, find_asked, stored
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_lines import ANA, HERS, HIS, SOL, TEO


@breaks("I1")
def lose_an_acknowledged_message(story: Story) -> None:
    story.final.conversations[HERS].messages.pop()
    story.final.conversations[HERS].last_sequence -= 1


@breaks("I1")
def store_another_text(story: Story) -> None:
    stored(story, 1).body = f"{ANA} 99 {HERS}|something else"


@breaks("I1")
def acknowledge_another_sequence(story: Story) -> None:
    find(story, "send", "ok")["value"]["sequence"] += 1


@breaks("I1")
def lose_an_edit(story: Story) -> None:
    stored(story, 2).revision -= 5


@breaks("I1")
def keep_a_text_that_was_edited(story: Story) -> None:
    attempted = find(story, "send", "invoke")["value"]["body"]
    stored(story, 2).body = attempted


@breaks("I1")
def lose_a_deletion(story: Story) -> None:
    stored(story, 3).deleted = False


@breaks("I1")
def keep_a_deleted_text(story: Story) -> None:
    stored(story, 3).body = "it is still here"


@breaks("I2")
def store_twice(story: Story) -> None:
    conversation = story.final.conversations[HERS]
    twin = deepcopy(stored(story, 4))
    twin.sequence = conversation.last_sequence = len(conversation.messages) + 1
    twin.created_revision = twin.revision = conversation.revision = conversation.revision + 1
    twin.key = "another"
    conversation.messages.append(twin)


@breaks("I2")
def store_what_nobody_sent(story: Story) -> None:
    stored(story, 5).key = "unheard-of"


@breaks("I2")
def store_what_was_refused(story: Story) -> None:
    refused = find(story, "send", "fail")
    asked = find_asked(story, refused)
    conversation = story.final.conversations[asked["conversation"]]
    story.store(conversation, asked["person"], asked["key"], asked["body"])


@breaks("I2")
def store_under_another_name(story: Story) -> None:
    stored(story, 5).sender = SOL


@breaks("I2")
def store_in_another_conversation(story: Story) -> None:
    moved = stored(story, 4)
    story.final.conversations[HIS].messages[1] = moved


@breaks("I3")
def skip_a_sequence(story: Story) -> None:
    stored(story, 7).sequence += 1


@breaks("I3")
def skip_a_revision(story: Story) -> None:
    story.final.conversations[HERS].revision += 1


@breaks("I3")
def use_a_revision_twice(story: Story) -> None:
    stored(story, 6).revision = stored(story, 5).revision


@breaks("I3")
def swap_two_sequences(story: Story) -> None:
    first, second = stored(story, 1), stored(story, 2)
    for name in ("key", "sender", "body", "edited"):
        kept = getattr(first, name)
        setattr(first, name, getattr(second, name))
        setattr(second, name, kept)


@breaks("I3")
def count_one_too_many(story: Story) -> None:
    story.final.conversations[HERS].last_sequence += 1


@breaks("I3")
def answer_one_socket_in_another_order(story: Story) -> None:
    acks = [
        line
        for line in story.lines
        if line["kind"] == "send" and line["state"] == "ok" and line["who"] == "1.1"
    ]
    first, second = acks[0]["value"], acks[1]["value"]
    first["sequence"], second["sequence"] = second["sequence"], first["sequence"]


@breaks("I3")
def change_a_message_that_nobody_changed(story: Story) -> None:
    """Its number is one that an acknowledged change of another message has left behind."""
    conversation = story.final.conversations[HERS]
    conversation.revision += 1
    stored(story, 2).revision = conversation.revision


@breaks("I3")
def give_an_edit_back(story: Story) -> None:
    """An acknowledged edit is followed by the text before it, under a number of its own."""
    conversation, message = story.final.conversations[HERS], stored(story, 2)
    first = message.body
    second = f"{ANA} 77 {HERS}|rather two doors"
    told = {"revision": conversation.revision + 1, "duplicate": False}
    story.do("1.1", "edit", told, conversation=HERS, sequence=2, body=second, session=2, web=1)
    conversation.revision += 2
    message.revision, message.body = conversation.revision, first


# --- What is marked -----------------------------------------------------------------------------


@breaks("I1")
def lose_a_star(story: Story) -> None:
    story.final.conversations[HERS].places[SOL].starred = False


@breaks("I1")
def lose_a_mute(story: Story) -> None:
    story.final.conversations[HERS].places[ANA].muted = False


@breaks("I1")
def lose_an_archiving(story: Story) -> None:
    story.final.conversations[HIS].places[TEO].archived = False


@breaks("I1")
def lose_a_block(story: Story) -> None:
    story.final.blocks = set()


@breaks("I1")
def keep_a_block_that_was_taken_back(story: Story) -> None:
    story.final.blocks |= {(TEO, SOL)}


# --- Refusals -----------------------------------------------------------------------------------


def try_again(story: Story, code: str) -> None:
    """Of what was acknowledged before."""
    asked = find_asked(story, find(story, "send", "ok"))
    operation = story.invoke("1.1", "send", **{**asked, "session": 2})
    story.end(operation, "fail", code=code)


@breaks("I2")
def refuse_a_retry_as_forbidden(story: Story) -> None:
    try_again(story, "forbidden")


@breaks("I2")
def refuse_a_retry_as_a_conflict(story: Story) -> None:
    try_again(story, "conflict")


@breaks("I2")
def refuse_a_retry_as_not_found(story: Story) -> None:
    try_again(story, "not_found")


@breaks("I2")
def refuse_without_a_block(story: Story) -> None:
    hers = story.final.conversations[HERS]
    story.send("2.1", hers, state="fail", is_stored=False)


@breaks("I2")
def refuse_as_invalid(story: Story) -> None:
    hers = story.final.conversations[HERS]
    story.send("2.1", hers, state="fail", is_stored=False, code="invalid")


@breaks("I2")
def refuse_as_signed_out(story: Story) -> None:
    hers = story.final.conversations[HERS]
    story.send("2.1", hers, state="fail", is_stored=False, code="unauthenticated")


@breaks("I2")
def refuse_a_page_of_ones_own(story: Story) -> None:
    operation = story.invoke("2.1", "pull", person=SOL, conversation=HERS, after=0, session=1)
    story.end(operation, "fail", code="not_found")
