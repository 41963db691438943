"""Spoils what is done in sessions that are over, and what answers, pages and mails hold: I10 and
I11."""

from copy import deepcopy

from tests.faults.final_state import Mail
from tests.faults.spoiled.spoiling import breaks, find, frames, insert_after, stored
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_lines import ANA, DAN, HERS, LISTING, SOL, TEO, Line

# --- What is over ---------------------------------------------------------------------------------


def find_tried(story: Story, kind: str, person: int, session: int) -> Line:
    """The end of what somebody tried in a session, the last of this kind."""
    tried = {
        line["operation"]
        for line in story.lines
        if (line["kind"], line["state"]) == (kind, "invoke")
        and (line["value"]["person"], line["value"].get("session")) == (person, session)
    }
    ends = [
        line for line in story.lines if line["operation"] in tried and line["state"] != "invoke"
    ]
    return ends[-1]


def do(story: Story, kind: str, person: int, session: int, **told: object) -> None:
    ended = find_tried(story, kind, person, session)
    assert ended["state"] == "fail"
    ended["state"], ended["value"] = "ok", told


@breaks("I10")
def read_after_log_out(story: Story) -> None:
    do(story, "read", ANA, 1)


@breaks("I10")
def serve_a_page_after_log_out(story: Story) -> None:
    do(story, "page", ANA, 1)


@breaks("I10")
def shake_hands_after_log_out(story: Story) -> None:
    do(story, "connect", ANA, 1)


@breaks("I10")
def read_after_a_new_password(story: Story) -> None:
    do(story, "read", DAN, 1)


@breaks("I10")
def serve_a_page_after_a_new_password(story: Story) -> None:
    do(story, "page", DAN, 1)


@breaks("I10")
def shake_hands_after_a_new_password(story: Story) -> None:
    do(story, "connect", DAN, 1)


@breaks("I10")
def read_after_deactivation(story: Story) -> None:
    do(story, "read", DAN, 2)


@breaks("I10")
def serve_a_page_after_deactivation(story: Story) -> None:
    do(story, "page", DAN, 2)


@breaks("I10")
def shake_hands_after_deactivation(story: Story) -> None:
    do(story, "connect", DAN, 2)


# --- What answers and pages hold ------------------------------------------------------------------


def hand(story: Story, person: int, author: int, place: str, *, page: bool) -> None:
    path = "/conversations/" if page else "/conversation/somewhere/read/"
    value = {"person": person, "path": path, "page": page, "bodies": [[author, place]]}
    story.see(f"{person}", "handed", **value)
    insert_after(story, find(story, "handed", "seen"), story.lines.pop())


@breaks("I11")
def answer_with_what_others_wrote(story: Story) -> None:
    hand(story, TEO, ANA, HERS, page=False)


@breaks("I11")
def answer_with_what_another_asked_about_the_same(story: Story) -> None:
    """Teo has a conversation about it too, and this is not it."""
    hand(story, TEO, ANA, LISTING, page=False)


@breaks("I11")
def serve_a_page_with_what_others_wrote(story: Story) -> None:
    hand(story, DAN, SOL, HERS, page=True)


@breaks("I11")
def serve_the_page_of_others(story: Story) -> None:
    refused = find(story, "page", "fail", code="status 404")
    refused["state"], refused["value"] = "ok", {}


@breaks("I11")
def show_what_another_asked_about_the_same(story: Story) -> None:
    frame = deepcopy(frames(story, "heartbeat")[0])
    frame["who"], frame["value"]["person"], frame["value"]["connection"] = "3.1", TEO, 0
    fields = {"user": SOL, "expires_in": 6, "message": stored(story, 1).body}
    frame["value"] |= {"type": "typing", "conversation": None, "fields": fields}
    story.lines.append(frame)


# --- What else a mail holds -----------------------------------------------------------------------


def mail_to(story: Story, person: int) -> Mail:
    address = story.final.people[person]
    return next(mail for mail in story.final.mails if mail.to == address)


@breaks("I11")
def mail_in_html_what_others_wrote(story: Story) -> None:
    mail_to(story, TEO).html += f"<div hidden>{stored(story, 4).body}</div>"


@breaks("I11")
def name_in_a_subject_what_others_wrote(story: Story) -> None:
    mail_to(story, TEO).headers += f": {stored(story, 4).body}"
