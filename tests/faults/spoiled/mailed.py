"""Spoils the times of mails, and what excuses what nobody should have been told: I1, I7–I9."""

from tests.faults.final_state import Mail
from tests.faults.servers.quiet import PutOff
from tests.faults.spoiled.spoiling import breaks, find, find_mute, notice
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_lines import ANA, HERS, HIS, SOL, TEO, Line

TEN_MINUTES = 600.0


def mail_of(story: Story, person: int, key: str) -> Mail:
    delivery = notice(story, person, key).deliveries[0]
    return next(each for each in story.final.mails if each.message_id == delivery.message_id)


def do_at(story: Story, at: float, who: str, kind: str, **asked: object) -> None:
    """Its lines stand first: a history is judged by its moments."""
    story.operations += 1
    line: Line = {"who": who, "kind": kind, "operation": 8000 + story.operations}
    value = {"person": int(who[0]), "session": 1, "web": 1, **asked}
    begun = {**line, "at": at, "state": "invoke", "value": value}
    ended = {**line, "at": at + 0.01, "state": "ok", "value": {}}
    story.lines[:0] = [begun, ended]


def add_fault(story: Story, kind: str, target: str, began: float, ended: float) -> None:
    story.operations += 1
    about = {"who": "nemesis", "kind": kind, "operation": 7000 + story.operations}
    asked, told = {"nemesis": 3, "target": target}, {"effect": 1}
    begun = {**about, "at": began, "state": "invoke", "value": asked}
    story.lines[:0] = [begun, {**about, "at": ended, "state": "ok", "value": told}]


def forget_faults(story: Story) -> None:
    """So that nothing but what is added was hurt."""
    story.lines = [line for line in story.lines if line["who"] != "nemesis"]


# --- In time --------------------------------------------------------------------------------------


@breaks("I8")
def mail_ten_minutes_late(story: Story) -> None:
    """To Teo, who never had a socket."""
    mail_of(story, TEO, HIS).at += TEN_MINUTES


@breaks("I8")
def mail_three_minutes_late(story: Story) -> None:
    """A fault that came when it had long been due."""
    forget_faults(story)
    mail = mail_of(story, TEO, HIS)
    mail.at += 180
    add_fault(story, "kill", "worker1", mail.at - 5, mail.at)


@breaks("I8")
def mail_who_has_gone_ten_minutes_late(story: Story) -> None:
    leave_the_room(story)
    mail_of(story, ANA, HERS).at = story.at + TEN_MINUTES


def leave_the_room(story: Story) -> None:
    """Ana has no socket any more."""
    opened = [line for line in story.lines if (line["who"], line["kind"]) == ("1.1", "connect")]
    story.close("1.1", opened[-1]["operation"], story.final.conversations[HERS])


@breaks("I8")
def leave_a_look_to_come(story: Story) -> None:
    """Nobody has looked yet at whether Teo is owed a mail."""
    story.final.mails.remove(mail_of(story, TEO, HIS))
    story.final.notifications.remove(notice(story, TEO, HIS))
    story.final.conversations[HIS].places[TEO].waits = True
    story.final.at += TEN_MINUTES


@breaks("I8")
def bring_a_look_forward(story: Story) -> None:
    """No clock was wrong."""
    story.final.put_off = [PutOff("look", TEO, HIS, 0, 550.0)]


@breaks("I8")
def bring_forward_what_never_failed(story: Story) -> None:
    add_fault(story, "mail_fault", "mail", story.at - 30, story.at)
    story.final.put_off = [PutOff("mail", TEO, HIS, 0, 550.0)]


@breaks("I8")
def put_off_for_longer_than_a_failure_does(story: Story) -> None:
    """It was tried twice: 20 s."""
    add_fault(story, "mail_fault", "mail", story.at - 30, story.at)
    story.final.put_off = [PutOff("mail", TEO, HIS, 2, 550.0)]


# --- Dropped --------------------------------------------------------------------------------------


def drop_for(story: Story, why: str) -> None:
    """Teo's mail."""
    story.final.mails.remove(mail_of(story, TEO, HIS))
    notification = notice(story, TEO, HIS)
    notification.cancelled, delivery = True, notification.deliveries[0]
    delivery.state, delivery.why, delivery.reasons = "cancelled", why, ["created", why]


@breaks("I8")
def drop_as_muted_what_had_been_before(story: Story) -> None:
    drop_for(story, "muted")
    do_at(story, 0.1, "3.1", "mute", conversation=HIS, on=True)
    do_at(story, 0.2, "3.1", "mute", conversation=HIS, on=False)


@breaks("I8")
def drop_as_left_what_had_been_before(story: Story) -> None:
    drop_for(story, "left")
    leave_and_come_back(story, 0.1)


@breaks("I8")
def drop_as_blocked_what_had_been_before(story: Story) -> None:
    drop_for(story, "blocked")
    story.lines = [line for line in story.lines if line["kind"] not in ("block", "unblock")]
    do_at(story, 0.1, "3.1", "block", other=SOL, on=True)
    do_at(story, 0.2, "3.1", "unblock", other=SOL, on=False)


def leave_and_come_back(story: Story, at: float) -> None:
    """Teo, who is put in again."""
    do_at(story, at, "3.1", "leave", conversation=HIS)
    do_at(story, at + 0.1, "3", "put_in", conversation=HIS)


@breaks("I7")
def skip_a_notice_of_who_left_long_after(story: Story) -> None:
    story.final.notifications.remove(notice(story, TEO, HIS))
    leave_and_come_back(story, story.at + 300)


@breaks("I1")
def lose_a_mark_of_who_had_left_before(story: Story) -> None:
    leave_and_come_back(story, 0.1)
    story.final.conversations[HIS].places[TEO].archived = False


# --- What nobody wanted any more ------------------------------------------------------------------


def read_and_mail(story: Story, seconds: float) -> float:
    """Sol reads it, and is mailed so much later. When that was."""
    last = len(story.final.conversations[HIS].messages)
    place = story.final.conversations[HIS].places[SOL]
    place.read_sequence, place.unread = last, 0
    story.do("2.1", "read", conversation=HIS, sequence=last, session=1, web=1)
    mail_of(story, SOL, HIS).at = story.at + seconds
    return story.at


@breaks("I9")
def mail_what_was_read_minutes_before_a_kill(story: Story) -> None:
    at = read_and_mail(story, 200)
    add_fault(story, "kill", "worker1", at + 190, at + 195)


@breaks("I9")
def mail_what_was_read_while_beats_were_away(story: Story) -> None:
    at = read_and_mail(story, 20)
    add_fault(story, "kill", "beat1", at - 1, at + 20)


@breaks("I7")
def mail_the_muted_minutes_before_a_kill(story: Story) -> None:
    at = find_mute(story)["at"]
    mail_of(story, ANA, HERS).at = at + 100
    add_fault(story, "kill", "worker1", at + 80, at + 90)


@breaks("I7")
def mail_what_came_while_muted(story: Story) -> None:
    """A worker that had been stopped since before cannot have known of it."""
    hers, at = story.final.conversations[HERS], find_mute(story)["at"]
    sent, mail = story.send("2.1", hers), mail_of(story, ANA, HERS)
    assert sent is not None
    mail.at, mail.text = at + 20, sent.body
    add_fault(story, "pause", "worker1", at - 1, at + 19)


@breaks("I7")
def mail_the_deactivated_minutes_before_a_kill(story: Story) -> None:
    deactivated = find(story, "deactivate", "ok")
    person = deactivated["who"]
    theirs = next(each for each in story.final.conversations.values() if int(person) in each.places)
    story.notify(int(person), theirs, 1, 1)
    story.final.mails[-1].at = deactivated["at"] + 90
    add_fault(story, "kill", "worker1", deactivated["at"] + 70, deactivated["at"] + 80)
