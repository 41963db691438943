"""Spoils notices and mails: I7–I9."""

from copy import deepcopy

from tests.faults.final_state import Mail
from tests.faults.spoiled.spoiling import breaks, find, find_mute, notice
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_lines import ANA, DAN, HERS, HIS, SOL, TEO, THEIRS


@breaks("I7")
def skip_a_notification(story: Story) -> None:
    story.final.notifications.remove(notice(story, TEO, HIS))


@breaks("I7")
def notify_twice_of_a_burst(story: Story) -> None:
    twin = deepcopy(notice(story, ANA))
    twin.deliveries[0].message_id = "<twin@example.org>"
    twin.first += 1
    story.final.notifications.append(twin)
    story.final.mails.append(
        Mail(story.at, story.final.people[ANA], "<twin@example.org>", "once more")
    )


@breaks("I7")
def notify_of_ones_own(story: Story) -> None:
    own = notice(story, ANA)
    own.first = own.last = 2


@breaks("I7")
def drop_as_read_what_is_not(story: Story) -> None:
    notification = notice(story, TEO, HIS)
    notification.cancelled, notification.deliveries[0].state = True, "cancelled"
    notification.deliveries[0].reasons.append("read")


@breaks("I8")
def lose_a_mail(story: Story) -> None:
    story.final.mails.pop()


@breaks("I8")
def mail_twice_as_if_they_were_two(story: Story) -> None:
    twin = deepcopy(story.final.mails[0])
    twin.message_id = "<twin@example.org>"
    story.final.mails.append(twin)


@breaks("I8")
def mail_twice_without_reason(story: Story) -> None:
    """The story has a fault in Redis, which would be one."""
    story.lines = [line for line in story.lines if line["who"] != "nemesis"]
    story.final.mails.append(deepcopy(story.final.mails[0]))


@breaks("I8")
def mail_to_another_address(story: Story) -> None:
    story.final.mails[0].to = story.final.people[SOL]


@breaks("I8")
def leave_a_mail_undone(story: Story) -> None:
    notice(story, TEO, HIS).deliveries[0].state = "pending"
    story.final.at += 1000


@breaks("I9")
def mail_about_what_was_read(story: Story) -> None:
    mail = story.final.mails[1]
    last = len(story.final.conversations[HIS].messages)
    story.final.conversations[HIS].places[SOL].read_sequence = last
    story.final.conversations[HIS].places[SOL].unread = 0
    story.do("2.1", "read", conversation=HIS, sequence=last, session=1, web=1)
    mail.at = story.at + 200


# --- What nobody wanted -------------------------------------------------------------------------


@breaks("I7")
def mail_the_muted(story: Story) -> None:
    muted = find_mute(story)
    story.final.mails[0].at = muted["at"] + 60


@breaks("I7")
def mail_the_blocked(story: Story) -> None:
    story.final.mails[2].at = find(story, "block", "ok")["at"] + 60
    gone = ("unblock", "kill")  # What was killed would be an excuse.
    story.lines = [line for line in story.lines if line["kind"] not in gone]


@breaks("I7")
def mail_the_deactivated(story: Story) -> None:
    theirs = story.final.conversations[THEIRS]
    story.notify(DAN, theirs, 1, 1)
    story.final.mails[-1].at = find(story, "deactivate", "ok")["at"] + 60


@breaks("I7")
def notify_of_what_came_while_muted(story: Story) -> None:
    muted = find_mute(story)
    hers = story.final.conversations[HERS]
    message = story.send("2.1", hers)
    assert message is not None
    story.notify(ANA, hers, message.sequence, message.sequence)
    story.final.mails[-1].at = muted["at"] + 1


# --- Deliveries ---------------------------------------------------------------------------------


def drop(story: Story, why: str, state: str = "cancelled") -> None:
    """Teo's mail, which had a reason to leave."""
    notification = notice(story, TEO, HIS)
    delivery = notification.deliveries[0]
    notification.cancelled = state == "cancelled"
    delivery.state, delivery.why, delivery.reasons = state, why, ["created", why]
    mails = story.final.mails
    story.final.mails = [mail for mail in mails if mail.message_id != delivery.message_id]


@breaks("I8")
def drop_as_muted_what_is_not(story: Story) -> None:
    drop(story, "muted")


@breaks("I8")
def drop_as_blocked_what_is_not(story: Story) -> None:
    drop(story, "blocked")
    story.lines = [line for line in story.lines if line["kind"] not in ("block", "unblock")]


@breaks("I8")
def drop_as_left_what_is_not(story: Story) -> None:
    drop(story, "left")


@breaks("I8")
def drop_for_want_of_an_address(story: Story) -> None:
    drop(story, "no_address")


@breaks("I8")
def drop_as_nothing_new_what_is_new(story: Story) -> None:
    drop(story, "nothing_new")


@breaks("I8")
def give_up_what_nobody_refused(story: Story) -> None:
    """It was refused for the moment only."""
    drop(story, "refused", "failed")


@breaks("I8")
def give_up_after_too_long(story: Story) -> None:
    drop(story, "too_long", "failed")


@breaks("I8")
def leave_a_mail_pending(story: Story) -> None:
    drop(story, "", "pending")
    notice(story, TEO, HIS).deliveries[0].due_in = 30.0


@breaks("I8")
def put_a_mail_off_for_an_hour(story: Story) -> None:
    """No clock was wrong, and none had failed."""
    drop(story, "", "pending")
    notice(story, TEO, HIS).deliveries[0].due_in = 3600.0


@breaks("I8")
def end_before_everybody_is_mailed(story: Story) -> None:
    find(story, "outcome", "seen")["value"]["everybody_mailed"] = False


@breaks("I8")
def mail_nothing_in_it(story: Story) -> None:
    story.final.mails[0].text = ""


@breaks("I8")
def mail_another_conversation(story: Story) -> None:
    story.final.mails[0].text += "\n" + story.final.conversations[HIS].messages[1].body
