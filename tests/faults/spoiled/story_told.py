"""A run in which everything that the checker looks at happens once at least, and goes well."""

from tests.faults.final_state import Conversation, Photo, Refusal
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_lines import ANA, DAN, HERS, HIS, LISTING, SOL, TEO, THEIRS, Line

# Longer than presence lasts, and than anything may still be under way.
REST_SECONDS = 130.0
# Until nothing is excused any more by what befell the database.
RECOVERY_SECONDS = 15.0
RUN = {
    "seed": 7,
    "options": {
        "minutes": 2.0, "nemeses": [2, 4], "seconds_each": 20.0, "rate": 30.0, "people": 4,
        "conversations": 3,
    },
    "versions": {"Python": "3.11.9", "PostgreSQL": "15.8", "Redis server": "7.0.1"},
    "revision": "0123456789ab",
    "kills": {"web": 3, "pool child": 2},
}  # fmt: skip


def tell_story() -> Story:
    story = Story()
    story.final.photos = [Photo("photos/one.webp", True)]
    story.measure()
    story.fault("kill", "database", 5)
    story.phase("control")
    hers = story.start(HERS, "1.1")
    his = story.start(HIS, "3.1")
    theirs = story.start(THEIRS, "4.1")
    story.wait(RECOVERY_SECONDS)
    _talk(story, hers)
    story.phase("nemesis 4")
    story.fault("kill", "redis", 4)
    story.fault("cut", "web1→redis", 4, effect=0)  # Nothing was there to be cut.
    line = _change_things(story, hers, his)
    _tell_everybody(story, hers, his, theirs)
    _end_things(story, hers, his, line)
    _end_an_account(story, theirs)
    _mark_things(story, hers, his)
    story.fault("stop_politely", "web1", 2, in_time=True, back=0.5)
    story.phase("healing")
    story.wait(REST_SECONDS)
    story.phase("final")
    _come_to_rest(story, hers, his)
    return story


def _talk(story: Story, hers: Conversation) -> None:
    line = story.connect("2.1", hers, 0)
    for tries in (1, 1, 3):
        sent = story.send("1.1", hers, door="socket", tries=tries)
        assert sent is not None
        story.hear("2.1", line, sent)
    lost = story.send("1.1", hers, state="unknown")
    assert lost is not None
    story.hear("2.1", line, lost)
    story.send("1.1", hers, state="unknown", is_stored=False)
    story.beat("2.1", line, hers)
    own = story.send("2.1", hers, door="socket")  # Sol's tab is not told of its own.
    answer = story.send("1.1", hers)
    assert own is not None
    assert answer is not None
    story.hear("2.1", line, answer)
    story.read("2.1", hers, 3)
    story.hear_read("2.1", line, hers, SOL)
    story.pull("1.1", hers, 0)
    story.list("1.1")
    story.close("2.1", line, hers)


def _change_things(story: Story, hers: Conversation, his: Conversation) -> int:
    """Ends with a room of Sol's open, whose connection it answers."""
    line = story.connect("1.1", hers, hers.revision)
    other = story.connect("2.1", hers, hers.revision, online=(ANA,))
    story.change("1.1", hers.messages[1], "edit")
    story.hear("2.1", other, hers.messages[1], "message_changed")
    story.change("1.1", hers.messages[2], "delete")
    story.hear("2.1", other, hers.messages[2], "message_changed")
    story.read("2.1", hers, 4)
    story.hear_read("1.1", line, hers, SOL)
    story.hear_read("2.1", other, hers, SOL)
    story.pull("2.1", hers, 2)
    story.beat("2.1", other, hers)
    story.close("1.1", line, hers)
    about: Line = {"conversation": his.id, "session": 1, "web": 1}
    story.do("2.1", "mute", **about, on=True)
    story.send("3.1", his)  # Of which by itself Sol has no notice.
    story.do("2.1", "mute", **about, on=False)
    story.send("2.1", his)
    story.list("3.1")
    return other


def _tell_everybody(
    story: Story, hers: Conversation, his: Conversation, theirs: Conversation
) -> None:
    story.read("2.1", hers, len(hers.messages))
    story.notify(SOL, hers, 1, len(hers.messages), mail=False, why="read")
    story.notify(ANA, hers, 1, len(hers.messages))
    story.notify(SOL, his, 1, len(his.messages))
    story.notify(TEO, his, 1, len(his.messages))
    story.notify(SOL, theirs, 1, 1)
    story.final.refusals = [Refusal(story.at, story.final.people[TEO], 451, permanent=False)]


def _end_things(story: Story, hers: Conversation, his: Conversation, other: int) -> None:
    story.hear_read("2.1", other, hers, SOL)
    story.do("3.1", "block", other=SOL, on=True, session=1, web=1)
    story.send("2.1", his, state="fail", is_stored=False)
    story.do("3.1", "unblock", other=SOL, on=False, session=1, web=1)
    line = story.connect("1.1", hers, hers.revision)
    story.do("1.1", "log_out_all", {"session": 1}, session=1, web=1)
    story.close("1.1", line, hers, 4501, own=False)
    story.send("1.1", hers, state="fail", is_stored=False, code="unauthenticated")
    try_what_is_over(story, "1.1", hers, 1)
    story.do("1", "sign_in", {"session": 2})
    story.connect("1.1", hers, hers.revision, session=2, online=(SOL,))
    refuse(story, "3.1", "pull", "not_found", conversation=HERS, after=0, session=1)
    story.do("1.1", "page", conversation=HERS, session=2, web=1)
    refuse(story, "3.1", "page", "status 404", conversation=HERS, session=1)
    said = [[DAN, LISTING]]
    story.see("2", "handed", person=SOL, path="/conversations/", page=False, bodies=said)


def _end_an_account(story: Story, theirs: Conversation) -> None:
    line = story.connect("4.1", theirs, 0)
    story.leave("4.1", theirs)
    story.tell("4.1", line, "removed", {"conversation": THEIRS})
    story.close("4.1", line, theirs, 4503, own=False)
    story.send("4.1", theirs, state="fail", is_stored=False, code="not_found")
    story.do("4", "change_password", {"session": 1, "kept": 2}, session=1)
    refuse(story, "4.1", "list", "unauthenticated", session=1)
    try_what_is_over(story, "4.1", theirs, 1)
    story.do("4", "sign_in", {"session": 2})
    story.list("4.1", session=2)
    story.do("4", "deactivate", {"session": 2}, session=2)
    refuse(story, "4.1", "list", "unauthenticated", session=2)
    try_what_is_over(story, "4.1", theirs, 2)


def _mark_things(story: Story, hers: Conversation, his: Conversation) -> None:
    story.mark("2.1", hers, "star")
    story.mark("1.1", hers, "mute", session=2)
    story.mark("3.1", his, "archive")
    story.do("3.1", "block", other=DAN, on=True, session=1, web=1)
    story.final.blocks = {(TEO, DAN)}


def _come_to_rest(story: Story, hers: Conversation, his: Conversation) -> None:
    line = story.connect("2.2", his, 0)
    story.say_read("1.1", hers, hers.places[ANA].read_sequence)
    story.wait(10)
    story.beat("2.2", line, his)
    story.list("2.0")
    for who, conversation in (("2.1", hers), ("2.2", his), ("1.1", hers)):
        story.hold(who, conversation)
    story.wait(10)
    story.hold_list("2.3")
    story.measure()
    story.see("campaign", "looked", answers=9, pages=2)
    story.see(
        "campaign", "outcome", everybody_mailed=True, crashes=[], skipped=[],
        behind=[], silent=[], brought_forward=0, converged_after=23.0, **RUN,
    )  # fmt: skip
    story.final.at = story.at + 1


def try_what_is_over(story: Story, who: str, conversation: Conversation, session: int) -> None:
    """In a session that is over, beside what a tab of it tries by itself."""
    code, about = "unauthenticated", {"conversation": conversation.id, "session": session}
    refuse(story, who, "read", code, **about, sequence=1)
    refuse(story, who, "page", code, **about)
    asked = {"person": int(who[0]), "tab": 0, **about, "after": 0, "web": 1}
    handshake = story.invoke(f"{who[0]}.0", "connect", **asked)
    story.end(handshake, "fail", status=403)


def refuse(story: Story, who: str, kind: str, code: str, **asked: object) -> None:
    operation = story.invoke(who, kind, person=int(who[0]), **asked, web=1)
    story.end(operation, "fail", code=code)
