"""Spoils what the processes cost, and whether people can send: I12–I14."""

from tests.faults.spoiled.spoiling import breaks, find
from tests.faults.spoiled.story import Story
from tests.faults.spoiled.story_lines import HERS, SOL


@breaks("I12")
def lose_a_file(story: Story) -> None:
    story.final.photos[0].is_stored = False


@breaks("I13")
def hold_too_much(story: Story) -> None:
    find(story, "resources", "seen")["value"]["memory"]["web1"] = 400 * 1024 * 1024


@breaks("I13")
def leak_descriptors(story: Story) -> None:
    last = [line for line in story.lines if line["kind"] == "resources"][-1]
    last["value"]["descriptors"]["web2"] += 100


@breaks("I14")
def fail_while_nothing_is_hurt(story: Story) -> None:
    line = next(
        line for line in story.lines if line["kind"] == "send" and line["state"] == "unknown"
    )
    line["value"] = {"why": "no answer"}


@breaks("I14")
def fail_while_redis_is_away(story: Story) -> None:
    """What Redis does is no excuse."""
    begun = find(story, "kill", "invoke", target="redis")
    operation = story.operations = story.operations + 1
    asked = find(story, "send", "invoke")["value"] | {"key": "never-stored"}
    line = {"at": begun["at"] + 0.5, "who": "1.1", "kind": "send", "operation": operation}
    at = story.lines.index(begun) + 1
    story.lines.insert(at, {**line, "state": "unknown", "value": {"why": "unavailable"}})
    story.lines.insert(at, {**line, "state": "invoke", "value": asked})


@breaks("I14")
def leave_something_unsent(story: Story) -> None:
    story.see("campaign", "late", unsent=3)


@breaks("I14")
def come_back_too_late(story: Story) -> None:
    story.fault("kill", "database", 5)
    story.at += 60
    story.final.at = story.at


@breaks("I13")
def hold_too_much_for_a_moment(story: Story) -> None:
    """Nobody looked at it then, but the kernel did."""
    find(story, "resources", "seen")["value"]["peak"]["web2"] = 400 * 1024 * 1024


@breaks("I13")
def keep_connections_of_the_database(story: Story) -> None:
    last = [line for line in story.lines if line["kind"] == "resources"][-1]
    last["value"]["connections"] = 80


def fail(story: Story, why: str) -> None:
    """A send of Sol's, in the middle of what goes well."""
    line = find(story, "send", "unknown")
    line["value"] = {"why": why}


@breaks("I14")
def break_an_answer_off(story: Story) -> None:
    fail(story, "RemoteProtocolError")


@breaks("I14")
def have_no_room_for_a_request(story: Story) -> None:
    fail(story, "PoolTimeout")


@breaks("I14")
def close_a_socket_under_a_message(story: Story) -> None:
    """Nobody had left, and no session had ended."""
    hers = story.final.conversations[HERS]
    line = story.connect("2.4", hers, hers.revision)
    story.send("2.4", hers, door="socket", state="unknown", is_stored=False)
    story.close("2.4", line, hers, own=False)


@breaks("I14")
def close_sockets_with_an_error(story: Story) -> None:
    find(story, "close", "seen")["value"]["code"] = 4411


@breaks("I14")
def close_sockets_while_redis_is_away(story: Story) -> None:
    begun = find(story, "kill", "invoke", target="redis")
    close = next(line for line in story.lines if line["kind"] == "close")
    close["value"]["code"], close["at"] = 4411, begun["at"] + 0.5


@breaks("I14")
def refuse_a_handshake(story: Story) -> None:
    asked = {"person": SOL, "tab": 1, "conversation": HERS, "after": 0, "session": 1, "web": 1}
    story.end(story.invoke("2.1", "connect", **asked), "fail", status=403)


@breaks("I14")
def never_end_when_asked_to(story: Story) -> None:
    find(story, "stop_politely", "ok")["value"]["in_time"] = False


@breaks("I14")
def end_by_itself(story: Story) -> None:
    find(story, "outcome", "seen")["value"]["crashes"] = ["worker1 ended with status 1"]


@breaks("I13")
def never_cut_who_reads_nothing(story: Story) -> None:
    story.fault("flood", "web2 (unread)", 9, seconds=26)
    told = {"status": 101, "messages": 300, "given": 25.0, "seconds": None, "effect": 0}
    story.lines[-1]["value"] = told


@breaks("I14")
def come_back_after_too_long_a_time(story: Story) -> None:
    find(story, "stop_politely", "ok")["value"]["back"] = 25.0
