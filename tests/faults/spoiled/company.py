"""Spoils who is told of whom, and when they are told no more: I10 and I11."""

from copy import deepcopy

from tests.faults.spoiled.spoiling import breaks, find, frames, insert_after
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_lines import ANA, HERS, HIS, SOL, TEO, Line


def tell(story: Story, who: str, kind: str, fields: Line, after: Line) -> None:
    story.tell(who, 0, kind, fields)
    insert_after(story, after, story.lines.pop())


@breaks("I11")
def tell_of_a_stranger(story: Story) -> None:
    here = {"conversation": HERS, "user": TEO, "online": True, "last_seen": None}
    tell(story, "1.1", "presence", here, frames(story, "ready")[0])


@breaks("I11")
def tell_an_inbox_of_a_stranger(story: Story) -> None:
    here = {"user": TEO, "online": True, "last_seen": None}
    tell(story, "1.1", "presence", here, frames(story, "ready")[0])


@breaks("I11")
def list_a_stranger_among_the_people(story: Story) -> None:
    people = deepcopy(frames(story, "ready")[0]["value"]["fields"]["participants"])
    people[0]["id"] = TEO
    told = {"conversation": HERS, "participants": people}
    tell(story, "2.1", "participants", told, frames(story, "ready")[0])


def lengthen_the_block(story: Story) -> Line:
    """By ten seconds; what happens in it first."""
    blocked = find(story, "block", "ok")
    for line in story.lines[story.lines.index(blocked) + 1 :]:
        line["at"] += 10
    for mail in story.final.mails:
        mail.at += 10
    story.final.at += 10
    return blocked


@breaks("I11")
def type_over_a_block(story: Story) -> None:
    lengthen_the_block(story)
    typing = {"conversation": HIS, "user": TEO, "expires_in": 6}
    tell(story, "2.9", "typing", typing, find(story, "send", "fail", code="forbidden"))


@breaks("I11")
def come_over_a_block(story: Story) -> None:
    lengthen_the_block(story)
    here = {"conversation": HIS, "user": SOL, "online": True, "last_seen": None}
    tell(story, "3.1", "presence", here, find(story, "send", "fail", code="forbidden"))


@breaks("I11")
def be_here_in_a_room_that_is_opened_over_a_block(story: Story) -> None:
    """At once: it is read when the block has been answered."""
    his = story.final.conversations[HIS]
    line = story.connect("2.9", his, his.revision, online=(TEO,))
    opened, story.lines = story.lines[-3:], story.lines[:-3]
    assert {each["operation"] for each in opened} == {line, 0}
    insert_after(story, find(story, "block", "ok"), *opened)


@breaks("I10")
def tell_a_minute_after_log_out_when_only_mail_was_hurt_since(story: Story) -> None:
    close, out = find(story, "close", "seen", code=4501), find(story, "log_out_all", "ok")
    late = deepcopy(frames(story, "heartbeat")[0])
    late["value"] |= {"person": ANA, "connection": close["value"]["connection"]}
    late["who"], late["at"] = "1.1", out["at"] + 60
    fault = {"who": "nemesis", "kind": "mail_fault", "operation": 9100}
    asked, told = {"nemesis": 10, "target": "mail"}, {"effect": 1}
    begun = {**fault, "at": out["at"] + 2, "state": "invoke", "value": asked}
    ended = {**fault, "at": out["at"] + 59, "state": "ok", "value": told}
    position = story.lines.index(close)
    story.lines[position:position] = [begun, ended, late]


@breaks("I10")
def tell_a_minute_after_log_out_when_something_was_hurt_later(story: Story) -> None:
    """Redis was, but only when nothing was to be told any more."""
    tell_a_minute_after_log_out_when_only_mail_was_hurt_since(story)
    begun = find(story, "mail_fault", "invoke")
    begun["value"]["target"], begun["at"] = "redis", begun["at"] + 10
