"""What people do, each with its weight. One call is one thing a person does in a tab.

An operation draws everything from the `Random` it is given, which belongs to this tab and to its
how-manieth operation it is: with the same seed the same tab does the same thing at its n-th turn,
whatever the network did before. Which message or conversation that falls on depends on what there
is by then.

In the history, besides what it tells of every operation, `session` is the number of the session it
was done in: a `log_out_all` names the number up to which everything of that person is over.
"""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from tests.faults.clients import pulling
from tests.faults.clients.actors import WORDS, Actor
from tests.faults.clients.answers import Answer, unknown
from tests.faults.clients.callers import CallerTab
from tests.faults.clients.endings import be_taken_out, block, leave, log_out_all
from tests.faults.clients.people import Conversation, Sent, make_key
from tests.faults.clients.rooms import Room
from tests.faults.clients.tabs import RoomTab

MOST_AT_ONCE = 5


async def send(actor: Actor, random: Random) -> None:
    conversation = actor.choose(random)
    if random.random() < actor.scene.doubled:
        draft = actor.write(conversation, random)
        late = random.uniform(1, 10)
        await actor.outbox.send_doubled(draft, random, random.randint(2, 3), late)
        return
    count = random.randint(1, MOST_AT_ONCE)
    await actor.outbox.send([actor.write(conversation, random) for _ in range(count)], random)


async def pull(actor: Actor, random: Random) -> None:
    """Half of the time what one has just sent oneself, over whichever process."""
    tab, web = actor.tab, actor.scene.choose_web(random)
    own = random.random() < 0.5 and actor.person.sent
    conversation = actor.person.sent[-1].conversation if own else actor.choose(random)
    room = tab.room_of(conversation.id) if isinstance(tab, RoomTab) else Room(conversation.id)
    back = random.randrange(50)
    after = actor.person.sent[-1].revision - 1 if own else max(0, room.revision - back)
    await pulling.pull_page(
        actor.scene, tab.who, actor.person, conversation.id, tab.session(), web, after
    )


async def peek(actor: Actor, random: Random) -> None:
    """At a conversation of other people: there must be none."""
    conversation = random.choice(actor.scene.conversations)
    if actor.person in (conversation.buyer, conversation.seller):
        return
    web = actor.scene.choose_web(random)
    session = actor.tab.session()
    await pulling.pull_page(
        actor.scene, actor.tab.who, actor.person, conversation.id, session, web, 0
    )


async def read(actor: Actor, random: Random) -> None:
    """Who has no socket asks for the latest first, as a page does that is opened, and reads all."""
    tab = actor.tab
    if isinstance(tab, RoomTab):
        await _read_in_room(actor, tab, random)
    elif isinstance(tab, CallerTab):
        conversation = actor.choose(random)
        latest = await tab.look_into(conversation, actor.scene.choose_web(random))
        if latest:
            await _post_read(actor, random, conversation, latest)


async def _post_read(
    actor: Actor, random: Random, conversation: Conversation, sequence: int
) -> None:
    about = {"conversation": conversation.id, "sequence": sequence, "door": "http"}
    path = f"/conversation/{conversation.id}/read/"
    await actor.post("read", path, random, about, sequence=sequence)


async def _read_in_room(actor: Actor, tab: RoomTab, random: Random) -> None:
    """Over a socket nothing answers it."""
    line, held = tab.line, tab.room.list_held()
    if not held:
        return
    sequence = max(1, held[-1].sequence - random.randrange(3))
    if random.random() < 0.5 or line is None or not tab.knows(tab.conversation):
        await _post_read(actor, random, tab.conversation, sequence)
        return
    about = {"person": actor.person.id, "conversation": tab.conversation.id, "sequence": sequence}
    told = {**about, "door": "socket", "session": line.session.number, "web": line.web}
    operation = actor.scene.history.invoke(tab.who, "read", **told)
    await line.tell({"type": "read", "sequence": sequence})
    why = unknown("nothing answers it").reason
    actor.scene.history.end(operation, tab.who, "read", "unknown", **why)


async def reconnect(actor: Actor, random: Random) -> None:
    """Reload, lose the network, stay away for a while, or go to another conversation."""
    tab, cleanly = actor.tab, random.random() < 0.5
    away = random.uniform(4, 12) if random.random() < 0.15 else 0.0
    other = random.choice(actor.person.conversations)
    moves = random.random() < 0.5 and isinstance(tab, RoomTab) and not tab.conversation.is_hot
    if away:
        tab.is_here.clear()
    if moves and isinstance(tab, RoomTab):
        await tab.move(other, cleanly=cleanly)
    else:
        await tab.disconnect(cleanly=cleanly)
    if away:
        await asyncio.sleep(away)
        tab.is_here.set()


async def list_rows(actor: Actor, random: Random) -> None:
    web = actor.scene.choose_web(random)
    session = actor.tab.session()
    await pulling.list_conversations(actor.scene, actor.tab.who, actor.person, session, web)


async def open_page(actor: Actor, random: Random) -> None:
    """A thread or the list, as a browser does; now and then a thread of other people, which there
    must not be."""
    own = random.random() < 0.9
    conversation = actor.choose(random) if own else random.choice(actor.scene.conversations)
    opened = None if own and random.random() < 0.5 else conversation.id
    web, session = actor.scene.choose_web(random), actor.tab.session()
    await pulling.open_page(actor.scene, actor.tab.who, actor.person, opened, session, web)


async def edit(actor: Actor, random: Random) -> None:
    await _change("edit", actor, random)


async def delete(actor: Actor, random: Random) -> None:
    await _change("delete", actor, random)


async def _change(kind: str, actor: Actor, random: Random) -> None:
    """One of one's own latest messages, over the socket if it is in that conversation."""
    sent, over_socket = actor.person.sent, random.random() < 0.5
    if not sent:
        return
    message = sent[random.randrange(len(sent))]
    body = actor.person.write(message.conversation.id, f"rather {random.choice(WORDS)}")
    fields: dict[str, object] = {"message": body} if kind == "edit" else {}
    about = {"conversation": message.conversation.id, "sequence": message.sequence}
    if kind == "edit":
        about["body"] = body
    tab = actor.tab
    if over_socket and isinstance(tab, RoomTab) and tab.knows(message.conversation):
        await _change_over_socket(kind, actor, message, about, fields, make_key(random))
        return
    path = f"/conversation/{message.conversation.id}/messages/{message.sequence}/{kind}/"
    web, session = actor.scene.choose_web(random), tab.session()
    value = {"person": actor.person.id, **about, "web": web, "session": session.number}
    operation = actor.scene.history.invoke(tab.who, kind, **value)
    answer = await actor.scene.doors.post(web, path, session, **fields)
    _end_change(kind, actor, operation, answer)


async def _change_over_socket(
    kind: str, actor: Actor, message: Sent, about: dict[str, object], fields: dict[str, object],
    key: str,
) -> None:  # fmt: skip
    tab, line = actor.tab, actor.tab.line
    if line is None or not isinstance(tab, RoomTab):
        return
    value = {"person": actor.person.id, **about, "web": line.web, "session": line.session.number}
    operation = actor.scene.history.invoke(tab.who, kind, **value)
    frame = {"type": kind, "sequence": message.sequence, "client_message_id": key, **fields}

    def take(receipt: dict[str, Any]) -> None:
        room, body = tab.room_of(message.conversation.id), str(fields.get("message", ""))
        room.change_own(message.sequence, receipt["revision"], body, deleted=kind == "delete")

    answer = await line.say(frame, take)
    _end_change(kind, actor, operation, answer)
    if answer.done:
        take(answer.body)


def _end_change(kind: str, actor: Actor, operation: int, answer: Answer) -> None:
    told = answer.reason
    if answer.done:
        told = {name: answer.body[name] for name in ("revision", "duplicate")}
    actor.scene.history.end(operation, actor.tab.who, kind, answer.state, **told)


async def mark(actor: Actor, random: Random) -> None:
    """Archive, star or mute, or take it back."""
    conversation = random.choice(actor.person.conversations)
    kind, on = random.choice(["archive", "star", "mute"]), random.randrange(2)
    path = f"/conversation/{conversation.id}/{kind}/"
    about = {"conversation": conversation.id, "on": bool(on)}
    await actor.post(kind, path, random, about, on=on)


async def ask(actor: Actor, random: Random) -> None:
    """Begin a conversation about a listing that one has not asked about yet."""
    asked = {each.listing for each in actor.person.conversations}
    found = [
        (slug, seller)
        for slug, seller in actor.scene.listings
        if slug not in asked and seller is not actor.person
    ]
    knows_others = len(actor.person.conversations) > 1  # Who is passing through does not.
    if found and knows_others and not any(draft.starts for draft in actor.outbox.unsent):
        slug, seller = random.choice(found)
        conversation = Conversation(slug, actor.person, seller)
        await actor.outbox.send([actor.write(conversation, random, starts=True)], random)


Operation = Callable[[Actor, Random], Awaitable[None]]
WEIGHTS: dict[Operation, float] = {
    send: 40,
    pull: 15,
    read: 10,
    reconnect: 10,
    list_rows: 8,
    edit: 4,
    delete: 3,
    mark: 2,
    ask: 1,
    peek: 1,
    open_page: 1,
    block: 0.5,
    leave: 0.3,
    be_taken_out: 0.05,  # Each is a process of its own.
    log_out_all: 0.2,
}
# What is rare happens in a short campaign too: each of these to somebody at the beginning.
SURE: tuple[Operation, ...] = (
    *(log_out_all, leave, be_taken_out, block, mark, ask, peek, log_out_all, open_page, open_page),
)
