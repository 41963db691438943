"""Spoils what people are shown: I4–I6."""

from copy import deepcopy

from tests.faults.spoiled.spoiling import breaks, find, frames
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_lines import ANA, HERS, HIS, SOL, TEO


@breaks("I4")
def deliver_twice(story: Story) -> None:
    frame = frames(story)[2]
    story.lines.insert(story.lines.index(frame) + 1, deepcopy(frame))


@breaks("I4")
def never_deliver(story: Story) -> None:
    story.lines.remove(frames(story)[3])


@breaks("I4")
def never_deliver_the_last_before_a_heartbeat(story: Story) -> None:
    beat = story.lines.index(frames(story, "heartbeat")[0])
    before = [line for line in frames(story) if story.lines.index(line) < beat]
    story.lines.remove(before[-1])


@breaks("I4")
def deliver_out_of_order(story: Story) -> None:
    first, second = frames(story)[1], frames(story)[2]
    first["value"], second["value"] = second["value"], first["value"]


@breaks("I4")
def never_tell_of_an_edit(story: Story) -> None:
    story.lines.remove(frames(story, "message_changed")[0])


@breaks("I4")
def show_a_deleted_text_in_a_frame(story: Story) -> None:
    frames(story, "message_changed")[1]["value"]["body"] = "it is still here"


@breaks("I4")
def leave_a_tab_behind(story: Story) -> None:
    find(story, "final", "seen")["value"]["messages"].pop()


@breaks("I4")
def leave_a_tab_with_an_old_text(story: Story) -> None:
    find(story, "final", "seen")["value"]["messages"][1][2] = "old"


@breaks("I4")
def replay_less_than_asked_for(story: Story) -> None:
    story.lines.remove(frames(story)[0])


@breaks("I4")
def end_without_a_socket(story: Story) -> None:
    find(story, "final", "seen")["value"]["ready"] = False


@breaks("I4")
def leave_a_tab_out_at_the_end(story: Story) -> None:
    story.lines.remove(find(story, "final", "seen", person=ANA))


@breaks("I4")
def look_long_after_healing(story: Story) -> None:
    find(story, "final_inbox", "seen")["value"]["seconds"] = 58.0


# --- In time ------------------------------------------------------------------------------------


@breaks("I4")
def tell_late(story: Story) -> None:
    """Twelve seconds, and what comes after it as late, with nothing hurt."""
    first = story.lines.index(frames(story)[1])
    for line in story.lines[first:]:
        line["at"] += 12


@breaks("I4")
def tell_late_long_after_a_fault(story: Story) -> None:
    """All that Sol's room is told comes a minute after everything was mended."""
    changed = frames(story, "message_changed")
    for line in story.lines[story.lines.index(changed[0]) :]:
        line["at"] += 60


@breaks("I4")
def never_tell_an_inbox(story: Story) -> None:
    """Nor that there is anything to look at."""
    line = story.open_list("2.9")
    story.send("1.1", story.final.conversations[HERS], session=2)
    story.wait(10)
    story.tell("2.9", line, "heartbeat", {"cursor": "1-1"})


@breaks("I4")
def never_tell_of_a_repeat(story: Story) -> None:
    """Whoever had stored it died before."""
    hers = story.final.conversations[HERS]
    line = story.connect("2.9", hers, hers.revision)
    story.send("1.1", hers, session=2, tries=2)
    story.wait(10)
    story.tell("2.9", line, "typing", {"conversation": HERS, "user": ANA, "expires_in": 6})


@breaks("I4")
def tell_of_reading_too_late(story: Story) -> None:
    hers = story.final.conversations[HERS]
    line = story.connect("1.9", hers, hers.revision)
    message = story.send("2.1", hers)
    assert message is not None
    story.hear("1.9", line, message)
    story.read("2.1", hers, message.sequence)
    story.wait(10)
    story.hear_read("1.9", line, hers, SOL)


# --- What else frames say -----------------------------------------------------------------------


def lie(story: Story, name: str, value: object, kind: str = "chat_message") -> None:
    frames(story, kind)[0]["value"]["fields"][name] = value


@breaks("I4")
def tell_another_number(story: Story) -> None:
    lie(story, "id", 7)


@breaks("I4")
def tell_another_name(story: Story) -> None:
    lie(story, "username", "Teo")


@breaks("I4")
def tell_another_sender(story: Story) -> None:
    lie(story, "sender", {"id": SOL, "role": "seller"})


@breaks("I4")
def tell_the_senders_own_id(story: Story) -> None:
    lie(story, "client_message_id", story.final.conversations[HERS].messages[0].key)


@breaks("I4")
def tell_another_role(story: Story) -> None:
    lie(story, "role", "nobody", "ready")


@breaks("I4")
def be_ready_for_somebody_else(story: Story) -> None:
    lie(story, "user", TEO, "ready")


@breaks("I4")
def be_ready_at_another_head(story: Story) -> None:
    lie(story, "last_sequence", 0, "ready")


@breaks("I4")
def be_ready_with_too_much_read(story: Story) -> None:
    lie(story, "read_sequence", 1000, "ready")


@breaks("I4")
def show_somebody_as_away_who_is_here(story: Story) -> None:
    frames(story, "ready")[-3]["value"]["fields"]["participants"][1]["online"] = False


@breaks("I4")
def show_somebody_as_here_who_is_away(story: Story) -> None:
    frames(story, "ready")[-1]["value"]["fields"]["participants"][0]["online"] = True


# --- I5 and I6 ----------------------------------------------------------------------------------


@breaks("I5")
def read_a_page_without_the_newest(story: Story) -> None:
    find(story, "pull", "ok")["value"]["messages"].pop()


@breaks("I5")
def read_a_page_out_of_order(story: Story) -> None:
    find(story, "pull", "ok")["value"]["messages"].reverse()


@breaks("I5")
def read_what_is_deleted(story: Story) -> None:
    pulls = [line for line in story.lines if line["kind"] == "pull" and line["state"] == "ok"]
    row = next(row for row in pulls[1]["value"]["messages"] if row[5])
    row[3], row[5] = "it is still here", False


@breaks("I5")
def read_a_page_from_before_an_edit(story: Story) -> None:
    pulls = [line for line in story.lines if line["kind"] == "pull" and line["state"] == "ok"]
    rows = pulls[1]["value"]["messages"]
    row = next(row for row in rows if row[0] == 2)
    rows.remove(row)
    row[1] = 3
    rows.insert(0, row)


@breaks("I5")
def list_an_older_message(story: Story) -> None:
    rows = find(story, "list", "ok")["value"]["rows"]
    rows[0][2] = find(story, "start", "invoke")["value"]["body"]


@breaks("I6")
def move_a_read_position_back(story: Story) -> None:
    story.final.conversations[HERS].places[SOL].read_sequence = 1


@breaks("I6")
def tell_an_older_position_at_ready(story: Story) -> None:
    ready = [line for line in story.lines if line["kind"] == "connect" and line["state"] == "ok"]
    later = next(line for line in ready[1:] if line["who"] == "2.1")
    later["value"]["read_sequence"] = 1


@breaks("I6")
def count_one_unread_too_many(story: Story) -> None:
    story.final.conversations[HERS].places[ANA].unread += 1


@breaks("I6")
def tell_a_read_position_twice(story: Story) -> None:
    frame = frames(story, "read")[1]
    story.lines.insert(story.lines.index(frame) + 1, deepcopy(frame))


@breaks("I6")
def never_tell_of_reading(story: Story) -> None:
    for frame in frames(story, "read"):
        story.lines.remove(frame)


@breaks("I6")
def show_too_much_as_read_at_the_end(story: Story) -> None:
    room = frames(story, "ready")[-1]["value"]["fields"]
    room["participants"][1]["read_sequence"] = 0
    story.final.conversations[HIS].places[SOL].read_sequence = 1
    story.final.conversations[HIS].places[SOL].unread -= 1


@breaks("I6")
def list_too_much_as_unread(story: Story) -> None:
    lists = [line for line in story.lines if line["kind"] == "list" and line["state"] == "ok"]
    lists[-1]["value"]["rows"][0][1] += 7


@breaks("I6")
def list_nothing(story: Story) -> None:
    lists = [line for line in story.lines if line["kind"] == "list" and line["state"] == "ok"]
    lists[-1]["value"]["rows"].clear()


@breaks("I6")
def leave_an_open_list_behind(story: Story) -> None:
    find(story, "final_inbox", "seen")["value"]["rows"][0][2] = "an older message"


@breaks("I6")
def leave_an_open_list_with_an_old_count(story: Story) -> None:
    find(story, "final_inbox", "seen")["value"]["rows"][1][1] += 1


@breaks("I6")
def end_without_a_list(story: Story) -> None:
    find(story, "final_inbox", "seen")["value"]["ready"] = False
