"""Spoils how sockets end, and what is excused by it: I14."""

from tests.faults.spoiled.spoiling import breaks
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_lines import ANA, HERS, HIS, SOL
from tests.faults.spoiled.story_told import tell_story

QUIET = 60.0
LOST, ENDED, GONE, BUSY, RESTART = 1006, 4501, 4503, 4413, 4412


def tell_quiet_story() -> Story:
    """After which nothing is an excuse any more."""
    story = tell_story()
    story.wait(QUIET)
    return story


def open_hers(
    story: Story, who: str = "2.4", *, is_ready: bool = True, session: int = 1
) -> int:  # fmt: skip
    """Ana's conversation, at the first web process."""
    hers = story.final.conversations[HERS]
    if is_ready:
        return story.connect(who, hers, hers.revision, session=session)
    asked = {"person": int(who[0]), "tab": 1, "conversation": HERS, "after": hers.revision}
    return story.invoke(who, "connect", **asked, session=session, web=1)


def close_hers(story: Story, who: str, line: int, code: int, *, own: bool = False) -> None:
    told = [each["state"] for each in story.lines if each["operation"] == line]
    if told == ["invoke"]:
        story.end(line, "unknown", why="closed before ready")
    story.close(who, line, story.final.conversations[HERS], code, own=own)


def close_soon(story: Story, code: int, *, seconds: float = 0.1) -> None:
    """Sol's tab has it open for a while."""
    line = open_hers(story)
    story.wait(seconds)
    close_hers(story, "2.4", line, code)


@breaks("I14")
def end_a_session_that_nobody_had_ended(story: Story) -> None:
    close_soon(story, ENDED)


@breaks("I14")
def end_a_session_for_the_end_of_an_earlier_one(story: Story) -> None:
    hers = story.final.conversations[HERS]
    line = story.connect("1.4", hers, hers.revision, session=2)
    story.close("1.4", line, hers, ENDED, own=False)


@breaks("I14")
def end_everybodys_session_while_the_database_is_away(story: Story) -> None:
    line = open_hers(story)
    story.fault("kill", "database", 5)
    close_hers(story, "2.4", line, ENDED)


@breaks("I14")
def take_somebody_out_whom_nobody_took_out(story: Story) -> None:
    close_soon(story, GONE)


@breaks("I14")
def take_somebody_out_of_another_conversation_than_they_left(story: Story) -> None:
    """Of both of Sol's rooms they end the wrong one."""
    his = story.final.conversations[HIS]
    line = story.connect("2.4", his, his.revision)
    story.final.conversations[HERS].places[SOL].left = True
    story.do("2.1", "leave", conversation=HERS, session=1, web=1)
    story.close("2.4", line, his, GONE, own=False)


@breaks("I14")
def take_somebody_out_again_who_is_back(story: Story) -> None:
    """They left and asked again, an hour ago."""
    hers = story.final.conversations[HERS]
    ask_again(story, "1.5")
    story.wait(3600)
    line = story.connect("1.5", hers, hers.revision, session=2)
    story.close("1.5", line, hers, GONE, own=False)


def ask_again(story: Story, who: str) -> None:
    """Ana leaves, and asks about it once more."""
    hers = story.final.conversations[HERS]
    story.do(who, "leave", conversation=HERS, session=2, web=1)
    key, body = "aaaaaaaa-0000-4000-8000-00000000abcd", story.body(ANA, hers.listing)
    message = story.store(hers, ANA, key, body)
    numbers = {"id": message.id, "sequence": message.sequence, "revision": message.revision}
    story.do(
        who, "start", {**numbers, "duplicate": False, "conversation": HERS},
        listing=hers.listing, key=key, body=body, tab=1, session=2, web=1,
    )  # fmt: skip


@breaks("I14")
def find_somebody_too_slow(story: Story) -> None:
    close_soon(story, 4408)


@breaks("I14")
def take_somebody_for_a_flood(story: Story) -> None:
    """Not even while their process stands still."""
    line = open_hers(story)
    story.fault("pause", "web1", 6)
    close_hers(story, "2.4", line, 4429)


@breaks("I14")
def give_a_place_to_nobody(story: Story) -> None:
    close_soon(story, 4430)


@breaks("I14")
def take_text_for_something_else(story: Story) -> None:
    close_soon(story, 4400)


@breaks("I14")
def send_somebody_away_for_a_while(story: Story) -> None:
    close_soon(story, BUSY)


@breaks("I14")
def send_somebody_away_for_a_while_because_redis_is(story: Story) -> None:
    line = open_hers(story)
    story.fault("pause", "redis", 6)
    close_hers(story, "2.4", line, BUSY)


@breaks("I14")
def restart_without_being_asked_to(story: Story) -> None:
    close_soon(story, RESTART, seconds=60)


@breaks("I14")
def restart_when_the_other_one_is_asked_to(story: Story) -> None:
    hers = story.final.conversations[HERS]
    story.wait(60)
    line = story.connect("2.4", hers, hers.revision)
    story.fault("stop_politely", "web2", 2, in_time=True)
    close_hers(story, "2.4", line, RESTART)


@breaks("I14")
def lose_a_socket(story: Story) -> None:
    close_soon(story, LOST, seconds=60)


@breaks("I14")
def close_with_a_code_that_nobody_knows(story: Story) -> None:
    close_soon(story, 4999)


@breaks("I14")
def refuse_a_handshake_with_an_error(story: Story) -> None:
    asked = {"person": SOL, "tab": 1, "conversation": HERS, "after": 0, "session": 1, "web": 1}
    story.end(story.invoke("2.1", "connect", **asked), "fail", status=500)


@breaks("I14")
def answer_no_handshake(story: Story) -> None:
    asked = {"person": SOL, "tab": 1, "conversation": HERS, "after": 0, "session": 1, "web": 1}
    story.end(story.invoke("2.1", "connect", **asked), "fail", status=0)
