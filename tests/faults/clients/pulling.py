"""Reading over HTTP: what changed in a conversation, the list of conversations, and pages."""

from typing import Any

from tests.faults.clients.answers import Answer
from tests.faults.clients.people import Person, Session
from tests.faults.clients.rooms import Room
from tests.faults.clients.scene import Scene


async def pull(
    scene: Scene, who: str, person: Person, room: Room, session: Session, web: int,
    after: int | None = None,
) -> Answer:  # fmt: skip
    """Page by page into the room, from where it is or from `after`. The last page's answer."""
    while True:
        start = room.revision if after is None else after
        answer = await pull_page(scene, who, person, room.conversation, session, web, start)
        if not answer.done:
            return answer
        for frame in answer.body["results"]:
            room.take_frame(frame)
        after = answer.body["next"]
        if after is None:
            return answer


async def pull_page(
    scene: Scene, who: str, person: Person, conversation: str, session: Session, web: int,
    after: int,
) -> Answer:  # fmt: skip
    value = {"person": person.id, "conversation": conversation, "after": after, "web": web}
    operation = scene.history.invoke(who, "pull", **value, session=session.number)
    path = f"/conversation/{conversation}/messages/?after={after}"
    answer = await scene.doors.get(web, path, session)
    if answer.done:
        messages = [describe(frame) for frame in answer.body["results"]]
        told = {"messages": messages, "next": answer.body["next"]}
        scene.history.end(operation, who, "pull", "ok", **told)
    else:
        scene.history.end(operation, who, "pull", answer.state, **answer.reason)
    return answer


def describe(frame: dict[str, Any]) -> list[Any]:
    return [
        *(frame["sequence"], frame["revision"], frame["sender"]["id"], frame["message"]),
        *(frame["edited_at"] is not None, frame["deleted"]),
    ]


async def list_conversations(
    scene: Scene, who: str, person: Person, session: Session, web: int
) -> Answer:
    value = {"person": person.id, "web": web, "session": session.number}
    operation = scene.history.invoke(who, "list", **value)
    answer = await scene.doors.get(web, "/conversations/", session)
    if answer.done:
        scene.history.end(operation, who, "list", "ok", rows=read_rows(answer.body))
    else:
        scene.history.end(operation, who, "list", answer.state, **answer.reason)
    return answer


def read_rows(body: dict[str, Any]) -> list[list[Any]]:
    return [
        [row["conversation"], row["unread"], (row["last_message"] or {}).get("message")]
        for row in body["results"]
    ]


async def open_page(
    scene: Scene, who: str, person: Person, conversation: str | None, session: Session, web: int
) -> Answer:
    """As a browser is served it: a thread, or without a conversation the list."""
    value = {"person": person.id, "conversation": conversation, "web": web}
    operation = scene.history.invoke(who, "page", **value, session=session.number)
    path = f"/conversation/{conversation}/" if conversation else "/conversations/"
    answer = await scene.doors.get_page(web, path, session)
    scene.history.end(operation, who, "page", answer.state, **answer.reason if answer.code else {})
    return answer
