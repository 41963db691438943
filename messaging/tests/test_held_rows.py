"""Somebody's row is held by somebody else: what that costs them, and nobody else.

On SQLite nobody holds a row: there is one writer at a time.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias
from uuid import uuid4

import pytest
import pytest_asyncio
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from msgspec.structs import replace

from messaging import held_drafts
from messaging.bus import current_bus
from messaging.exceptions import NotFound, Unavailable
from messaging.journal import LOCK_SECONDS, Journal
from messaging.models import Conversation, Message
from messaging.runtime import in_database
from messaging.services.drafts import Draft, Outcome, Receipt
from messaging.sessions import SessionStamp
from messaging.tests.browsing import post_json, url
from messaging.tests.crowd import draft_of, make_conversations
from messaging.tests.sockets import Sockets
from messaging.tests.test_journal import put_before_record

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="One writer at a time."),
]

# Of the server's for one lock, in seconds.
LOCK_TIMEOUT = 5

# (place among the drafts, what became of it, after how many seconds)
Answered: TypeAlias = tuple[int, Outcome, float]


@pytest_asyncio.fixture
async def journal(transactional_db: None) -> AsyncIterator[Journal]:
    made = Journal()
    yield made
    await made.close()
    await current_bus().finish()


@pytest.fixture
def rows(seller: Any) -> list[Conversation]:
    made = make_conversations(seller, 5)
    assert all(row.buyer for row in made)  # Read before there is a loop.
    return made


@pytest.fixture
def drafts(rows: list[Conversation]) -> list[Draft]:
    """Two of each buyer, in a session of theirs, the first two of the first."""
    stamps = [sign_in(row.buyer) for row in rows]
    return [
        draft_of(row.buyer, row, body, session=stamp)
        for row, stamp in zip(rows, stamps, strict=True)
        for body in ("one", "two")
    ]


def sign_in(person: Any) -> SessionStamp:
    client = Client()
    client.force_login(person)
    return SessionStamp(str(client.session.session_key), client.session["_auth_user_hash"])


@contextmanager
def held(hold: Callable[[], object]) -> Iterator[Callable[[], None]]:
    """By a transaction in another thread, until what this gives is called or the block ends."""
    has, let_go = threading.Event(), threading.Event()

    def run() -> None:
        with transaction.atomic():
            hold()
            has.set()
            let_go.wait(20)
        connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    assert has.wait(10)
    try:
        yield let_go.set
    finally:
        let_go.set()
        thread.join()


def save_profile(*people: Any) -> None:
    for person in people:
        get_user_model().objects.filter(pk=person.pk).update(last_login=None)


def log_out(stamp: SessionStamp) -> None:
    Session.objects.filter(pk=stamp.key).delete()


def lock_conversation(row: Conversation) -> None:
    Conversation.objects.select_for_update().get(pk=row.pk)


def lock_a_place(row: Conversation) -> None:
    """As whoever marks a conversation as theirs does."""
    row.participants.filter(role="seller").update(muted=True)


def again(drafts: Sequence[Draft], *bodies: str) -> list[Draft]:
    """The same as new messages."""
    said = bodies or [draft.body for draft in drafts]
    return [
        replace(draft, client_message_id=uuid4(), body=body)
        for draft, body in zip(drafts, said, strict=True)
    ]


async def store(
    journal: Journal, drafts: Sequence[Draft], after_each: Callable[[], object] = int
) -> list[Answered]:
    """As they are answered."""
    answered: list[Answered] = []
    began = time.monotonic()
    done = asyncio.Event()

    def note(place: int, outcome: Outcome) -> None:
        answered.append((place, outcome, time.monotonic() - began))
        after_each()
        if len(answered) == len(drafts):
            done.set()

    for place, draft in enumerate(drafts):
        journal.append(draft, partial(note, place))
    await done.wait()  # Others may be waiting still.
    return answered


async def write_on(journal: Journal, drafts: Sequence[Draft], *, seconds: float) -> list[Answered]:
    """The same again and again, each time when they are answered."""
    until = time.monotonic() + seconds
    answered: list[Answered] = []
    while time.monotonic() < until:
        answered += await store(journal, again(drafts))
    return answered


async def until_held(journal: Journal, count: int) -> None:
    async with asyncio.timeout(10):
        while journal._held.count < count:
            await asyncio.sleep(0.01)


def kinds(answered: Sequence[Answered]) -> list[type[Outcome]]:
    return [type(outcome) for _, outcome, _ in sorted(answered, key=lambda entry: entry[0])]


@pytest.mark.parametrize("what", ["row", "session"])
async def test_a_held_row_costs_only_its_own_person(
    journal: Journal, rows: list[Conversation], drafts: list[Draft], what: str
) -> None:
    stamp = drafts[0].session
    assert stamp
    hold = partial(save_profile, rows[0].buyer) if what == "row" else partial(log_out, stamp)
    assert len(drafts) == 10
    with held(hold):
        answered = await store(journal, drafts)
    assert kinds(answered) == [Unavailable] * 2 + [Receipt] * 8
    # The others were answered before anything was waited for.
    assert [place for place, _, _ in answered] == [*range(2, 10), 0, 1]
    assert answered[7][2] < LOCK_SECONDS <= answered[8][2]
    assert await in_database(Message.objects.filter(conversation=rows[0]).count) == 1


async def test_several_of_them_are_waited_for_together(
    journal: Journal, rows: list[Conversation], drafts: list[Draft]
) -> None:
    with held(partial(save_profile, *[row.buyer for row in rows[:4]])):
        answered = await store(journal, drafts)
    assert kinds(answered) == [Unavailable] * 8 + [Receipt] * 2
    assert LOCK_SECONDS <= answered[-1][2] < 2 * LOCK_SECONDS


async def test_who_is_held_for_a_moment_is_stored_in_order(
    journal: Journal, rows: list[Conversation], drafts: list[Draft]
) -> None:
    with held(partial(save_profile, rows[0].buyer)) as let_go:
        answered = await store(journal, drafts, after_each=let_go)
    assert kinds(answered) == [Receipt] * 10
    assert [place for place, _, _ in answered] == [*range(2, 10), 0, 1]
    said = await in_database(
        lambda: list(rows[0].messages.order_by("sequence").values_list("body", flat=True))
    )
    assert said[1:] == ["one", "two"]


async def test_one_alone_is_not_waited_for_longer(
    journal: Journal, rows: list[Conversation], drafts: list[Draft]
) -> None:
    """Whoever writes meanwhile queues up behind it."""
    with held(partial(save_profile, rows[0].buyer)):
        answered = await store(journal, drafts[:1])
    assert kinds(answered) == [Unavailable]
    assert answered[0][2] < 2 * LOCK_SECONDS


@pytest.mark.parametrize(
    ("hold", "seconds"), [(lock_conversation, LOCK_TIMEOUT + 1), (lock_a_place, 2)]
)
async def test_a_held_conversation_costs_only_those_who_write_to_it(
    journal: Journal,
    rows: list[Conversation],
    drafts: list[Draft],
    hold: Callable[[Conversation], object],
    seconds: float,
) -> None:
    """Longer than any deadline of the server's, in batch after batch."""
    others = partial(again, drafts[2:])
    with held(partial(hold, rows[0])):
        lasting = asyncio.create_task(write_on(journal, drafts[:2], seconds=seconds))
        rounds = []
        while not lasting.done():
            rounds.append(await store(journal, others()))
        refused = await lasting
    assert len(rounds) > 10
    assert {type(outcome) for answered in rounds for _, outcome, _ in answered} == {Receipt}
    assert max(seconds for answered in rounds for _, _, seconds in answered) < LOCK_SECONDS
    assert {type(outcome) for _, outcome, _ in refused} == {Unavailable}
    assert max(seconds for _, _, seconds in refused) < 4 * LOCK_SECONDS
    assert await in_database(Message.objects.filter(conversation=rows[0]).count) == 1
    [stored] = await store(journal, again(drafts[:1]))
    assert isinstance(stored[1], Receipt)


@pytest.mark.parametrize("failing", [1, 2])
async def test_a_held_conversation_beside_another_failure_costs_nobody_else_anything(
    journal: Journal,
    rows: list[Conversation],
    drafts: list[Draft],
    failing: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A deadlock, or a connection that had gone, before the row is met or after it."""

    def fail(call: int) -> None:
        if call == failing:
            raise OperationalError("the connection is lost")

    calls = put_before_record(monkeypatch, fail)
    with held(partial(lock_conversation, rows[0])):
        answered = await store(journal, drafts)
    assert kinds(answered) == [Unavailable] * 2 + [Receipt] * 8
    assert calls[:3] == [10, 10, 10]


async def test_nobody_else_waits_for_who_is_held(
    journal: Journal, rows: list[Conversation], drafts: list[Draft]
) -> None:
    """Their rows are waited for beside the journal, which goes on with everybody else."""
    held_ones = partial(again, drafts[:8])
    with held(partial(save_profile, *[row.buyer for row in rows[:4]])):
        waiting = asyncio.create_task(store(journal, held_ones()))
        rounds = []
        while not waiting.done():
            rounds.append(await store(journal, again(drafts[8:])))
        refused = await waiting
    assert len(rounds) > 2
    assert {type(outcome) for answered in rounds for _, outcome, _ in answered} == {Receipt}
    assert max(seconds for answered in rounds for _, _, seconds in answered) < LOCK_SECONDS
    assert {type(outcome) for _, outcome, _ in refused} == {Unavailable}


async def test_the_other_side_of_who_is_held_goes_on_writing(
    journal: Journal, rows: list[Conversation], drafts: list[Draft], seller: Any
) -> None:
    stamp = await in_database(sign_in, seller)
    with held(partial(save_profile, rows[0].buyer)):
        waiting = asyncio.create_task(store(journal, drafts[:2]))
        await until_held(journal, 2)
        hers = [draft_of(seller, row, "mine", session=stamp) for row in rows]
        answered = await store(journal, hers)
        assert not waiting.done()
        await waiting
    assert {type(outcome) for _, outcome, _ in answered} == {Receipt}


@pytest.mark.parametrize("what", ["row", "conversation"])
async def test_what_comes_after_a_held_one_stays_behind_it(
    journal: Journal, rows: list[Conversation], drafts: list[Draft], what: str
) -> None:
    """Also where nothing is held any more by the time it comes."""
    hold = partial(save_profile, rows[0].buyer)
    if what == "conversation":
        hold = partial(lock_conversation, rows[0])
    answered: list[str] = []
    later = again(drafts[:2], "three", "four")

    def note(body: str, outcome: Outcome) -> None:
        answered.append(body)

    with held(hold) as let_go:
        for draft in drafts[:2]:
            journal.append(draft, partial(note, draft.body))
        await until_held(journal, 2)
        let_go()
        for draft in later:
            journal.append(draft, partial(note, draft.body))
        await journal.finish()
    assert answered == ["one", "two", "three", "four"]
    said = await in_database(
        lambda: list(rows[0].messages.order_by("sequence").values_list("body", flat=True))
    )
    assert said[1:] == answered


async def test_only_so_many_are_waited_for(
    journal: Journal,
    rows: list[Conversation],
    drafts: list[Draft],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(held_drafts, "MAXIMUM", 3)
    with held(partial(save_profile, rows[0].buyer)):
        answered = await store(journal, again(drafts[:2] * 3) + drafts[2:])
    quick = [(place, type(outcome)) for place, outcome, s in answered if s < LOCK_SECONDS]
    assert sorted(quick, key=lambda one: one[0]) == [
        *[(place, Unavailable) for place in (3, 4, 5)],
        *[(place, Receipt) for place in range(6, 14)],
    ]
    assert kinds(answered)[:3] == [Unavailable] * 3
    assert journal.depth == 0
    assert kinds(await store(journal, again(drafts))) == [Receipt] * 10


async def test_an_unknown_conversation_beside_a_held_one_is_unknown(
    journal: Journal, rows: list[Conversation], drafts: list[Draft]
) -> None:
    nowhere = replace(drafts[4], conversation_id=uuid4())
    with held(partial(lock_conversation, rows[0])):
        answered = await store(journal, [drafts[0], drafts[2], nowhere])
    assert kinds(answered) == [Unavailable, Receipt, NotFound]
    assert [place for place, _, _ in answered] == [1, 2, 0]


async def test_over_sockets_it_costs_nobody_else_anything(
    sockets: Sockets, rows: list[Conversation]
) -> None:
    ana = await sockets.room(rows[0].buyer, rows[0].pk)
    other, listener = [await sockets.room(rows[1].buyer, rows[1].pk) for _ in range(2)]
    with held(partial(lock_conversation, rows[0])):
        for number in range(5):
            await ana.send(message="Is anybody there?")
            await other.send(message=f"number {number}")
            began = time.monotonic()
            assert (await other.expect("ack"))["sequence"] == number + 2
            assert (await listener.expect("chat_message"))["message"] == f"number {number}"
            assert time.monotonic() - began < LOCK_SECONDS
        assert (await ana.expect("error"))["code"] == "unavailable"
    answers: list[str] = []
    while len(answers) < 4:
        answers += [kind for kind in [(await ana.receive())["type"]] if kind in ("ack", "error")]
    await ana.send(message="Now?")
    assert (await ana.expect("ack"))["sequence"] > 1


# --- Who holds rows at all -----------------------------------------------------------------------


def test_a_stranger_who_would_block_somebody_does_not_touch_their_row(
    conversation: Conversation, buyer: Any, seller: Any, stranger: Any, client_of: Any
) -> None:
    path, teo, sol = f"/people/{buyer.pk}/block/", client_of(stranger), client_of(seller)
    with held(partial(save_profile, buyer)):
        began = time.monotonic()
        assert post_json(teo, path, on=1).status_code == 404
        assert time.monotonic() - began < LOCK_SECONDS
    assert count_locks(partial(post_json, teo, path, on=1)) == 0
    assert count_locks(partial(post_json, sol, path, on=1)) > 0


@pytest.mark.parametrize(
    ("door", "new", "known"),
    [
        ("read/", {"sequence": 1}, {"sequence": 1}),
        ("read/", {"sequence": 9}, {"sequence": 10}),
        ("archive/", {"on": 1}, {"on": 1}),
        ("star/", {"on": 1}, {"on": 1}),
        ("mute/", {"on": 1}, {"on": 1}),
    ],
)
def test_what_changes_nothing_holds_nothing(
    door: str,
    new: dict[str, int],
    known: dict[str, int],
    conversation: Conversation,
    seller: Any,
    client_of: Any,
) -> None:
    path, sol = url(conversation, door), client_of(seller)
    assert count_locks(partial(post_json, sol, path, **new)) > 0
    assert count_locks(partial(post_json, sol, path, **known)) == 0
    assert post_json(sol, path, **known).status_code == 200


def count_locks(ask: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as asked:
        ask()
    return sum("FOR NO KEY UPDATE" in query["sql"] for query in asked)


# --- Who had to give way -------------------------------------------------------------------------


@pytest.mark.parametrize("door", ["new_message/", "read/", "messages/1/delete/"])
def test_who_gave_way_in_a_deadlock_is_stored_all_the_same(
    door: str, conversation: Conversation, buyer: Any, client_of: Any
) -> None:
    """The server ends one of two that wait for each other: that one begins anew, once."""
    deadlocks: list[str] = []

    def give_way(execute: Any, sql: str, *arguments: Any) -> Any:
        if "FOR NO KEY UPDATE" in sql and not deadlocks:
            deadlocks.append(sql)
            return execute(
                "DO $$BEGIN RAISE 'deadlock' USING ERRCODE = '40P01'; END$$", None, *arguments[1:]
            )
        return execute(sql, *arguments)

    ana = client_of(buyer)
    with connection.execute_wrapper(give_way):
        answer = post_json(ana, url(conversation, door), message="Hello", sequence=1)
    assert len(deadlocks) == 1
    assert answer.status_code in (200, 201)
