"""Spoils what is refused, and what is not served at all: I2, I6 and I14."""

from tests.faults.checker.touches import NO_ANSWER_EXPECTED
from tests.faults.spoiled.ends import ask_again
from tests.faults.spoiled.spoiling import breaks, find
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_lines import ANA, HERS, LISTING, SOL

# --- Refused for what was true once ---------------------------------------------------------------


def refuse(story: Story, who: str, kind: str, code: str, **asked: object) -> None:
    about = {"person": int(who[0]), "session": 1, "web": 1, **asked}
    story.end(story.invoke(who, kind, **about), "fail", code=code)


@breaks("I2")
def never_open_a_thread_again_whose_buyer_is_back(story: Story) -> None:
    ask_again(story, "1.5")
    hers = story.final.conversations[HERS]
    story.send("2.1", hers, state="fail", is_stored=False, code="forbidden")


@breaks("I2")
def never_open_a_thread_again_because_an_attempt_at_leaving_had_no_answer(story: Story) -> None:
    hers = story.final.conversations[HERS]
    about = {"person": ANA, "conversation": HERS, "session": 2, "web": 1}
    story.end(story.invoke("1.5", "leave", **about), "unknown", why="ReadTimeout")
    ask_again(story, "1.5")
    story.wait(100)
    story.send("2.1", hers, state="fail", is_stored=False, code="forbidden")


@breaks("I2")
def call_an_edit_late_because_a_clock_was_wrong_once(story: Story) -> None:
    """Between the two, when nobody looked at it."""
    story.fault("clock", "web1", 11)
    refuse_edit(story)


@breaks("I2")
def call_an_edit_late_because_a_workers_clock_is_wrong(story: Story) -> None:
    operation = story.invoke("nemesis", "clock", nemesis=11, target="worker1")
    refuse_edit(story)
    story.end(operation, "ok", effect=1)


def refuse_edit(story: Story) -> None:
    """A message that is seconds old."""
    sent = story.send("1.5", story.final.conversations[HERS], session=2)
    assert sent is not None
    about = {"conversation": HERS, "sequence": sent.sequence, "session": 2}
    refuse(story, "1.5", "edit", "forbidden", **about, body="rather")


@breaks("I2")
def say_that_a_listing_is_not_there(story: Story) -> None:
    refuse(story, "4.1", "start", "not_found", listing=LISTING, key="another", body="hello")


@breaks("I2")
def say_that_a_list_is_not_there(story: Story) -> None:
    refuse(story, "1.5", "list", "not_found", session=2)


@breaks("I2")
def say_that_somebodys_own_thread_is_not_there(story: Story) -> None:
    refuse(story, "2.1", "page", "status 404", conversation=HERS)


# --- Not served -----------------------------------------------------------------------------------


def fail(story: Story, kind: str, why: str, **asked: object) -> None:
    about = {"person": SOL, "session": 1, "web": 1, **asked}
    story.end(story.invoke("2.1", kind, **about), "unknown", why=why)


@breaks("I14")
def fail_to_show_a_page(story: Story) -> None:
    fail(story, "pull", "unavailable", conversation=HERS, after=0)


@breaks("I14")
def fail_inside_at_a_list(story: Story) -> None:
    fail(story, "list", "status 500")


@breaks("I14")
def answer_no_edit(story: Story) -> None:
    fail(story, "edit", "no answer", conversation=HERS, sequence=6, body="rather")


@breaks("I14")
def answer_no_mark(story: Story) -> None:
    fail(story, "star", "ReadTimeout", conversation=HERS, on=True)


@breaks("I14")
def refuse_every_connection(story: Story) -> None:
    about = {"person": SOL, "conversation": HERS, "sequence": 1, "session": 1, "web": 1}
    story.end(story.invoke("2.1", "read", **about), "fail", code="unreachable")


@breaks("I14")
def fail_to_show_a_page_while_redis_is_away(story: Story) -> None:
    operation = story.invoke("nemesis", "pause", nemesis=6, target="redis")
    fail(story, "pull", "unavailable", conversation=HERS, after=0)
    story.end(operation, "ok", effect=1)


# --- Said over a socket ---------------------------------------------------------------------------


@breaks("I6")
def ignore_what_is_read(story: Story) -> None:
    ignore(story)


def ignore(story: Story, *, until: float = 20.0) -> int:
    """All that Ana's tab says, which stays for so many seconds. Its connection."""
    hers = story.final.conversations[HERS]
    line = story.connect("1.5", hers, hers.revision, session=2)
    about = {"person": ANA, "conversation": HERS, "sequence": 3, "session": 2, "web": 1}
    story.end(story.invoke("1.5", "read", **about), "unknown", why=NO_ANSWER_EXPECTED)
    story.wait(until)
    story.beat("1.5", line, hers)
    return line


@breaks("I14")
def never_come_back_to_a_send(story: Story) -> None:
    """The database is back, and nobody is told that anything is stored."""
    killed = find(story, "kill", "ok")["at"]
    for line in story.lines:
        if line["kind"] == "start" and line["state"] == "ok" and line["at"] < killed + 10:
            line["at"] = killed + 10.5
