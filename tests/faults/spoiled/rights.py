"""Spoils what people may do, and see: I10 and I11."""

from copy import deepcopy

from tests.faults.spoiled.spoiling import accept, breaks, find, frames, stored
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_lines import ANA, DAN, HERS, HIS, TEO, THEIRS


@breaks("I10")
def write_after_log_out(story: Story) -> None:
    accept(story, find(story, "send", "fail", code="unauthenticated"))


@breaks("I10")
def store_after_log_out_without_an_answer(story: Story) -> None:
    refused = find(story, "send", "fail", code="unauthenticated")
    accept(story, refused)
    refused["state"], refused["value"] = "unknown", {"why": "closed"}


@breaks("I10")
def write_over_a_block(story: Story) -> None:
    accept(story, find(story, "send", "fail"))


@breaks("I10")
def tell_something_long_after_log_out(story: Story) -> None:
    close = find(story, "close", "seen", code=4501)
    line = close["value"]["connection"]
    late = deepcopy(frames(story, "heartbeat")[0])
    late["value"]["connection"], late["at"] = line, close["at"] + 100
    late["value"]["person"], late["who"] = ANA, "1.1"
    story.lines.insert(story.lines.index(close), late)


@breaks("I10")
def connect_after_log_out(story: Story) -> None:
    find(story, "connect", "invoke", session=2)["value"]["session"] = 1


@breaks("I11")
def leak_a_message_to_a_stranger(story: Story) -> None:
    leaked = deepcopy(frames(story)[0])
    leaked["who"], leaked["value"]["person"], leaked["value"]["connection"] = "3.1", TEO, 0
    story.lines.append(leaked)


@breaks("I11")
def show_a_message_in_another_conversation(story: Story) -> None:
    leaked = deepcopy(frames(story)[2])
    leaked["who"], leaked["value"]["person"], leaked["value"]["connection"] = "3.1", TEO, 0
    leaked["value"]["conversation"], leaked["value"]["sequence"] = HIS, 2
    story.lines.append(leaked)


@breaks("I11")
def let_a_stranger_read(story: Story) -> None:
    peek = [line for line in story.lines if line["kind"] == "pull"][-1]
    peek["state"], peek["value"] = "ok", {"messages": [], "next": None}


@breaks("I11")
def list_a_strangers_conversation(story: Story) -> None:
    rows = [line for line in story.lines if line["kind"] == "list" and line["who"] == "3.1"][-1]
    rows["value"]["rows"].append([HERS, 1, stored(story, 1).body])


@breaks("I11")
def mail_what_strangers_wrote(story: Story) -> None:
    story.final.mails[0].text += "\n" + stored(story, 4).body.replace(HERS, HIS)


@breaks("I10")
def write_after_a_new_password(story: Story) -> None:
    refused = [line for line in story.lines if line["kind"] == "list" and line["state"] == "fail"]
    refused[0]["state"], refused[0]["value"] = "ok", {"rows": []}


@breaks("I10")
def look_after_deactivation(story: Story) -> None:
    refused = [line for line in story.lines if line["kind"] == "list" and line["state"] == "fail"]
    refused[1]["state"], refused[1]["value"] = "ok", {"rows": []}


@breaks("I10")
def write_after_leaving(story: Story) -> None:
    accept(story, find(story, "send", "fail", code="not_found"))


@breaks("I10")
def hear_after_leaving(story: Story) -> None:
    removed = frames(story, "removed")[0]
    late = deepcopy(frames(story, "heartbeat")[0])
    late["at"], late["who"] = removed["at"] + 100, "4.1"
    late["value"] |= {"person": DAN, "conversation": THEIRS}
    story.lines.insert(story.lines.index(removed), late)


@breaks("I10")
def lose_a_leaving(story: Story) -> None:
    story.final.conversations[THEIRS].places[DAN].left = False


@breaks("I11")
def leak_a_text_in_a_frame_of_another_type(story: Story) -> None:
    frame = deepcopy(frames(story, "heartbeat")[0])
    frame["who"], frame["value"]["person"], frame["value"]["connection"] = "3.1", TEO, 0
    fields = {"user": ANA, "expires_in": 6, "message": stored(story, 4).body}
    frame["value"] |= {"type": "typing", "conversation": HIS, "fields": fields}
    story.lines.append(frame)


@breaks("I11")
def leak_a_text_deep_in_a_frame(story: Story) -> None:
    """Of a conversation that is somebody else's, to somebody who has one about the same listing."""
    ready = frames(story, "ready")[-1]
    ready["value"]["fields"]["participants"][0]["username"] = stored(story, 4).body
    ready["value"]["person"] = TEO
