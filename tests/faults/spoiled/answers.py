"""Spoils what people are told of their own attempts, and what an attempt left without an answer did
that nobody may do: I1, I2, I4 and I10."""

from tests.faults.spoiled.spoiling import (
    accept,
    attempt,
    breaks,
    find,
    find_asked,
    frames,
    insert_after,
    lose_answer,
)
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_lines import ANA, HERS, HIS, SOL, Line

# --- Nobody was told, and yet it is there ---------------------------------------------------------


def store(story: Story, code: str) -> tuple[Line, Line]:
    """What was refused with this code is stored, and its answer lost: where it would have been told
    so, and what."""
    refused = find(story, "send", "fail", code=code)
    accept(story, refused)
    return refused, lose_answer(refused)


@breaks("I10")
def store_after_log_out_and_repeat_it_in_the_next_session(story: Story) -> None:
    refused, told = store(story, "unauthenticated")
    asked = {**find_asked(story, refused), "session": 2}
    again = attempt(refused, asked, "ok", {**told, "duplicate": True})
    insert_after(story, find(story, "sign_in", "ok"), *again)


@breaks("I10")
def store_over_a_block_and_show_it(story: Story) -> None:
    refused, _ = store(story, "forbidden")
    show(story, refused, "3.1", HIS)


def show(story: Story, after: Line, who: str, key: str) -> None:
    """To a room that nobody knew of, before anything else happens."""
    conversation = story.final.conversations[key]
    story.hear(who, 0, conversation.messages[-1])
    insert_after(story, after, story.lines.pop())


@breaks("I10")
def store_over_a_block_and_repeat_it(story: Story) -> None:
    refused, told = store(story, "forbidden")
    asked = find_asked(story, refused)
    insert_after(story, refused, *attempt(refused, asked, "ok", {**told, "duplicate": True}))


@breaks("I10")
def store_after_leaving_without_an_answer(story: Story) -> None:
    store(story, "not_found")


@breaks("I10")
def edit_over_a_block_without_an_answer(story: Story) -> None:
    refused = find(story, "send", "fail", code="forbidden")
    message = story.final.conversations[HIS].messages[-1]
    message.body, message.edited = f"{SOL} 99 {HIS}|rather", True
    story.final.conversations[HIS].revision += 1
    message.revision = story.final.conversations[HIS].revision
    asked = {"person": SOL, "conversation": HIS, "sequence": message.sequence}
    asked |= {"body": message.body, "session": 1, "web": 1}
    edit = {**refused, "kind": "edit"}
    lines = attempt(edit, asked, "unknown", {"why": "closed"})
    insert_after(story, refused, *lines)
    story.hear("3.1", 0, message, "message_changed")
    insert_after(story, lines[1], story.lines.pop())


# --- Answers ------------------------------------------------------------------------------------


def find_first_answer(story: Story) -> Line:
    return find(story, "send", "ok", duplicate=False)


@breaks("I2")
def call_a_first_attempt_a_repeat(story: Story) -> None:
    find_first_answer(story)["value"]["duplicate"] = True


@breaks("I2")
def acknowledge_twice_as_new(story: Story) -> None:
    answer = find_first_answer(story)
    again = attempt(answer, find_asked(story, answer), "ok", answer["value"])
    insert_after(story, answer, *again)


@breaks("I2")
def acknowledge_as_new_what_was_seen(story: Story) -> None:
    """Nobody answered the first attempt; the second one says that it stored it."""
    answer = find_first_answer(story)
    told = lose_answer(answer)
    again = attempt(answer, find_asked(story, answer), "ok", told)
    heard = next(line for line in frames(story) if line["value"]["sequence"] == told["sequence"])
    insert_after(story, heard, *again)


@breaks("I1")
def acknowledge_under_another_number(story: Story) -> None:
    find_first_answer(story)["value"]["id"] = 424242


# --- One's own ----------------------------------------------------------------------------------


@breaks("I4")
def tell_a_connection_its_own(story: Story) -> None:
    own = next(
        line
        for line in story.lines
        if (line["kind"], line["state"], line["who"]) == ("send", "ok", "2.1")
    )
    line = find(story, "connect", "invoke", person=SOL)["operation"]
    sequence = own["value"]["sequence"]
    message = story.final.conversations[HERS].messages[sequence - 1]
    story.hear("2.1", line, message)
    frame = story.lines.pop()
    frame["value"]["revision"] = frame["value"]["fields"]["revision"] = message.created_revision
    insert_after(story, own, frame)


@breaks("I4")
def never_tell_of_what_one_tried_to_change_in_vain(story: Story) -> None:
    """Sol's tab tried it before Ana did; that excuses nothing."""
    changed = frames(story, "message_changed")[0]
    opened = [line for line in story.lines if line["kind"] == "connect" and line["who"] == "2.1"]
    ended = [line for line in opened if line["state"] == "ok"][1]
    sequence = changed["value"]["sequence"]
    asked = {"person": SOL, "conversation": HERS, "sequence": sequence, "body": "no", "session": 1}
    tried = {**ended, "kind": "edit"}
    insert_after(story, ended, *attempt(tried, asked, "fail", {"code": "forbidden"}))
    story.lines.remove(changed)


@breaks("I4")
def never_tell_another_connection_of_ones_own(story: Story) -> None:
    """A message that Ana's tab said over one connection is missing from what the next one is told
    of its past."""
    story.operations += 1
    hers = story.final.conversations[HERS]
    line = story.connect("1.1", hers, 0, session=2)
    own = hers.messages[1]
    frame = next(
        each
        for each in frames(story)
        if (each["value"]["connection"], each["value"]["sequence"]) == (line, own.sequence)
    )
    assert own.sender == ANA
    story.lines.remove(frame)
