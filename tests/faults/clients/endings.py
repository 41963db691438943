"""What ends something: blocking somebody for a while, leaving a conversation or being taken out
of it, logging out."""

import asyncio
import time
from random import Random
from typing import Any

from tests.faults.clients.actors import Actor
from tests.faults.clients.afterwards import try_what_is_over
from tests.faults.clients.people import Conversation, Person
from tests.faults.clients.pulling import list_conversations
from tests.faults.clients.scene import Scene

# Of whoever leaves: mostly longer than their sockets may be told anything.
AWAY_SECONDS = (4, 12)

# What nobody answered may still be done for so many seconds.
LINGERS, LOOKS_EVERY = 60.0, 3.0


async def block(actor: Actor, random: Random) -> None:
    """For some seconds. Whoever blocked somebody takes it back, however long that takes."""
    person, conversation = actor.person, random.choice(actor.person.conversations)
    seconds, other = random.uniform(2, 6), conversation.other(person)
    if person.changing.locked():
        return
    async with person.changing:
        path, about = f"/people/{other.id}/block/", {"other": other.id}
        if (await actor.post("block", path, random, {**about, "on": True}, on=1)).done:
            await asyncio.sleep(seconds)
        await actor.insist("unblock", path, random, {**about, "on": False}, on=0)


async def leave(actor: Actor, random: Random) -> None:
    """As its buyer, who asks again some seconds later and is back by that. Meanwhile the seller
    writes to nobody, and what the buyer had not sent yet is refused."""
    person, seconds = actor.person, random.uniform(*AWAY_SECONDS)
    mine = [each for each in person.conversations if each.buyer is person and not each.is_hot]
    if not mine or person.changing.locked():
        return
    conversation = random.choice(mine)
    async with person.changing:
        path = f"/conversation/{conversation.id}/leave/"
        answer = await actor.post("leave", path, random, {"conversation": conversation.id})
        if answer.state != "fail":
            await asyncio.sleep(seconds)
            await _ask_again(actor, conversation, random)


async def be_taken_out(actor: Actor, random: Random) -> None:
    """By staff, as its buyer, whom asking does not bring back: staff put them in again."""
    person, seconds = actor.person, random.uniform(*AWAY_SECONDS)
    mine = [each for each in person.conversations if each.buyer is person and not each.is_hot]
    if not mine or person.changing.locked() or actor.scene.change_participants is None:
        return
    conversation = random.choice(mine)
    async with person.changing:
        await _have_staff(actor, "take_out", conversation)
        await asyncio.sleep(seconds)
        while not await _have_staff(actor, "put_in", conversation):
            await asyncio.sleep(1)


async def _have_staff(actor: Actor, how: str, conversation: Conversation) -> bool:
    """Whether it is known to be done. Both may be repeated: a second time changes nothing."""
    scene, who, person = actor.scene, actor.tab.who, actor.person
    assert scene.change_participants is not None
    operation = scene.history.invoke(who, how, person=person.id, conversation=conversation.id)
    try:
        await scene.change_participants(how, person.id, conversation.id)
    except RuntimeError:
        scene.history.end(operation, who, how, "unknown", why="the process that did it failed")
        return False
    scene.history.end(operation, who, how, "ok")
    return True


async def _ask_again(actor: Actor, conversation: Conversation, random: Random) -> None:
    """Until it is stored. It is refused for as long as one of the two has blocked the other."""
    while True:
        draft = actor.write(conversation, random, starts=True)
        await actor.outbox.send([draft], random)
        while draft in actor.outbox.unsent:
            await asyncio.sleep(0.5)
            await actor.outbox.send_again(random)
        if draft.is_stored:
            return
        await asyncio.sleep(1)


async def log_out_all(actor: Actor, random: Random) -> None:
    """On every device; then they sign in again. What is tried with an old session in between, over
    sockets that are about to close too, must not be stored."""
    person, seconds = actor.person, random.uniform(1, 4)
    if person.changing.locked():
        return
    async with person.changing:
        state = await _end_sessions(actor, random)
        if state == "ok":
            await try_what_is_over(actor, random)
        if state != "fail":
            person.leave()
            await asyncio.sleep(seconds)
            await sign_in(actor.scene, person)
        if state == "unknown":
            await _stay_signed_in(actor, random)


async def _stay_signed_in(actor: Actor, random: Random) -> None:
    """Nobody answered, and the request may yet be done: then it ends the new sessions too, and they
    sign in once more."""
    scene, until = actor.scene, time.monotonic() + LINGERS
    while time.monotonic() < until and not scene.winding_down:
        session, web = actor.person.devices[0], scene.choose_web(random)
        answer = await list_conversations(scene, actor.tab.who, actor.person, session, web)
        if answer.code == "unauthenticated":
            actor.person.leave()
            await sign_in(scene, actor.person)
            return
        await scene.rest(LOOKS_EVERY)


async def _end_sessions(actor: Actor, random: Random) -> str:
    """The others first, from one of them, and then that one: `ok` when all are over, `fail` when
    none is."""
    person, history = actor.person, actor.scene.history
    asking, web = person.devices[0], actor.scene.choose_web(random)
    about = {"person": person.id, "session": asking.number, "web": web}
    operation = history.invoke(actor.tab.who, "log_out_all", **about)
    others = await actor.scene.doors.post(web, "/accounts/sessions/end-others/", asking)
    own = await actor.scene.doors.post(web, "/accounts/logout/", asking) if others.done else others
    state, told = own.state, dict[str, Any](own.reason)
    if own.done:
        told = {"session": asking.number}
    elif others.done:
        state, told = "unknown", {"why": own.code}  # Half of it is done.
    history.end(operation, actor.tab.who, "log_out_all", state, **told)
    return state


async def sign_in(scene: Scene, person: Person) -> None:
    """As often as it takes: the database may be away."""
    who = f"{person.id}"
    while True:
        operation = scene.history.invoke(who, "sign_in", person=person.id)
        try:
            await person.enter()
        except Exception as error:
            scene.history.end(operation, who, "sign_in", "fail", code=type(error).__name__)
            await asyncio.sleep(1)
            continue
        number = person.devices[0].number
        scene.history.end(operation, who, "sign_in", "ok", session=number)
        return
