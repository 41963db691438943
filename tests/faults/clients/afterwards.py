"""What somebody tries in a session that is over, before they sign in again or go for good."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from random import Random

from tests.faults.clients import pulling
from tests.faults.clients.actors import Actor
from tests.faults.clients.answers import UNREACHABLE, Answer, refused, unknown
from tests.faults.clients.lines import Frame, Line, Refused, open_line
from tests.faults.clients.people import Conversation
from tests.faults.clients.tabs import SESSION_ENDED, TOLD_AT_READY, RoomTab

# Where nobody answers, nothing is shown: it is tried again for so long.
SECONDS_TO_TRY = 20.0
PAUSE = 1.0
REFUSED_HANDSHAKE = 403
Attempt = Callable[[], Awaitable[Answer]]


async def try_what_is_over(actor: Actor, random: Random) -> None:
    """With the sessions that the actor's person still has: a message over the socket if that is
    open yet, one over HTTP, a read mark, a list, a page and a handshake. None of it may be done."""
    conversation = actor.choose(random)
    attempts: list[Attempt] = [
        send_over_http(actor, conversation, random),
        lambda: mark_as_read(actor, conversation, random),
        lambda: ask_for_list(actor, random),
        lambda: ask_for_page(actor, conversation, random),
        lambda: shake_hands(actor, conversation, random),
    ]
    works = [try_until_answered(attempt) for attempt in attempts]
    await asyncio.gather(send_over_socket(actor, conversation, random), *works)


async def try_until_answered(attempt: Attempt) -> None:
    until = time.monotonic() + SECONDS_TO_TRY
    while not is_answered(await attempt()) and time.monotonic() < until:
        await asyncio.sleep(PAUSE)


def is_answered(answer: Answer) -> bool:
    return answer.done or (answer.state == "fail" and answer.code != UNREACHABLE.code)


async def send_over_socket(actor: Actor, conversation: Conversation, random: Random) -> None:
    """Once: it is closed before long."""
    if actor.tab.line is not None and not actor.tab.line.closed:
        draft = actor.write(conversation, random)
        await actor.outbox.send_over("socket", draft, actor.tab.line.web)


def send_over_http(actor: Actor, conversation: Conversation, random: Random) -> Attempt:
    """The same message each time. Its tab keeps it, and sends it in the next session."""
    draft = actor.write(conversation, random)
    return lambda: actor.outbox.send_over("http", draft, actor.scene.choose_web(random))


async def mark_as_read(actor: Actor, conversation: Conversation, random: Random) -> Answer:
    held = actor.tab.room.list_held() if isinstance(actor.tab, RoomTab) else []
    sequence = held[-1].sequence if held else 1
    about: dict[str, object] = {"conversation": conversation.id, "sequence": sequence}
    path = f"/conversation/{conversation.id}/read/"
    return await actor.post("read", path, random, about, sequence=sequence)


async def ask_for_list(actor: Actor, random: Random) -> Answer:
    tab, web = actor.tab, actor.scene.choose_web(random)
    return await pulling.list_conversations(actor.scene, tab.who, actor.person, tab.session(), web)


async def ask_for_page(actor: Actor, conversation: Conversation, random: Random) -> Answer:
    tab, web = actor.tab, actor.scene.choose_web(random)
    return await pulling.open_page(
        actor.scene, tab.who, actor.person, conversation.id, tab.session(), web
    )


async def shake_hands(actor: Actor, conversation: Conversation, random: Random) -> Answer:
    """A new socket beside those of the tabs: of the conversation, or of the list."""
    scene, person, session = actor.scene, actor.person, actor.tab.session()
    web, is_room, who = scene.choose_web(random), random.random() < 0.5, f"{person.id}.0"
    path = f"/ws/room/{conversation.id}/?after=0" if is_room else "/ws/inbox/"
    value = {"person": person.id, "tab": 0, "conversation": conversation.id if is_room else None}
    value |= {"after": 0 if is_room else None, "web": web, "session": session.number}
    operation = scene.history.invoke(who, "connect", **value)
    url = scene.urls[web - 1]
    try:
        socket = await open_line(url.replace("http", "ws", 1) + path, url, session)
    except Refused as refusal:
        scene.history.end(operation, who, "connect", "fail", status=refusal.status)
        is_refused = refusal.status == REFUSED_HANDSHAKE
        return refused("unauthenticated") if is_refused else UNREACHABLE
    return await hear_ready(Line(socket, scene.history, who, value, session, web, operation))


async def hear_ready(line: Line) -> Answer:
    """What comes up to that; then it is cut."""
    heard: list[Frame] = []

    def take(frame: Frame) -> None:
        if frame["type"] == "ready" and not heard:
            heard.append(frame)
            told = {key: frame.get(key) for key in TOLD_AT_READY}
            line.history.end(line.operation, line.who, "connect", "ok", **told)
            line.cut()

    try:
        code = await line.listen(take)
    finally:
        line.cut()
    if not heard:
        why = "closed before ready"
        line.history.end(line.operation, line.who, "connect", "unknown", why=why)
    about = {key: line.about[key] for key in ("person", "tab", "conversation")}
    about |= {"connection": line.operation, "own": bool(heard)}
    line.history.see(line.who, "close", **about, code=code)
    if heard:
        return Answer("ok")
    return refused("unauthenticated") if code == SESSION_ENDED else unknown("closed before ready")
