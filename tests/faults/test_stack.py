"""The stack of a campaign is whole, can be hurt in every way, and is whole again."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from django.conf import settings

from tests.faults.history import History, read_history
from tests.faults.nemeses import NEMESES, hostile, surroundings
from tests.faults.nemeses.field import LEAST, Act, Field
from tests.faults.servers.cast import Cast, Person
from tests.faults.servers.programs import NAMES, PROGRAMS
from tests.faults.servers.stack import Stack
from tests.services import services

pytestmark = pytest.mark.processes

TOKEN = "a" * 32
SECONDS = 20
# What a killed worker had claimed is taken again after 60 s and 120 s, and after a look each.
LEASES = 240
# Long enough for one act of each, and for none to begin a second one that takes long.
BRIEFLY = 0.2


@pytest.fixture(scope="module")
def stack(collected_static: None) -> Iterator[Stack]:
    assert services.directory is not None
    directory = services.directory / "stack"
    directory.mkdir()
    running = Stack(directory, seed=1, static=Path(settings.STATIC_ROOT))
    try:
        yield running.start()
    finally:
        running.stop()


@pytest.fixture(scope="module")
def cast(stack: Stack) -> Cast:
    return stack.fill(people=2, listings=2)


class Talk:
    """The second person writes to the first one, who has nothing open."""

    def __init__(self, stack: Stack, cast: Cast, client: httpx.AsyncClient) -> None:
        self.stack, self.cast, self.client = stack, cast, client
        self.path = f"/listings/{cast.listings[0].slug}/conversation/"
        self.conversation = ""

    async def headers(self, person: Person) -> dict[str, str]:
        key = await self.stack.sessions.open(person.id)
        cookies = f"sessionid={key}; csrftoken={TOKEN}"
        return {"Cookie": cookies, "X-CSRFToken": TOKEN, "Accept": "application/json"}

    async def send(self, message: str, *, web: int = 1) -> int:
        """The status of the answer."""
        answer = await self.client.post(
            self.stack.web_urls[web - 1] + self.path,
            json={"message": message, "client_message_id": str(uuid.uuid4())},
            headers=await self.headers(self.cast.people[1]),
        )
        if answer.status_code in (200, 201):
            self.conversation = answer.json()["conversation"]
            self.path = f"/conversation/{self.conversation}/new_message/"
        return answer.status_code

    async def read(self, *, web: int) -> list[str]:
        """What the first person finds."""
        answer = await self.client.get(
            f"{self.stack.web_urls[web - 1]}/conversation/{self.conversation}/messages/?after=0",
            headers=await self.headers(self.cast.people[0]),
        )
        return [message["message"] for message in answer.json()["results"]]


@pytest.fixture
async def talk(stack: Stack, cast: Cast) -> AsyncIterator[Talk]:
    async with httpx.AsyncClient(trust_env=False, timeout=SECONDS) as client:
        yield Talk(stack, cast, client)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    writing = History(tmp_path / "history.jsonl")
    yield writing
    writing.close()


async def ask_health(stack: Stack) -> list[dict[str, Any]]:
    async with httpx.AsyncClient(trust_env=False, timeout=SECONDS) as client:
        answers = [await client.get(f"{url}/health/ready/") for url in stack.web_urls]
    return [answer.json() for answer in answers]


async def test_each_nemesis_acts_and_everything_heals(
    stack: Stack, talk: Talk, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    for act in list(LEAST):
        monkeypatch.delitem(LEAST, act)  # What it needs to hurt anybody it is not given here.
    assert await talk.send("before") == 201
    for number, nemesis in NEMESES.items():
        await nemesis.run(stack, Random(number), time.monotonic() + BRIEFLY, history)
    await stack.heal()
    assert_all_have_acted(stack, history)
    assert [name for name in NAMES if not stack.is_running(name)] == []
    assert {proxy.mode for proxy in stack.edges.values()} == {"pass"}
    assert stack.crashes == []
    healthy = {"database": "ok", "layer": "ok", "cache": "ok", "broker": "ok", "status": "ok"}
    assert await ask_health(stack) == [healthy, healthy]
    assert await talk.send("after", web=1) == 201
    assert await talk.read(web=2) == ["before", "after"]
    address = stack.sessions.people[1].email
    # A program that ended while it had claimed the burst, or the mail, is waited for: at most both.
    await asyncio.to_thread(stack.mails.wait_for, address, seconds=LEASES)


def assert_all_have_acted(stack: Stack, history: History) -> None:
    history.close()
    records = list(read_history(history.path))
    begun = [record for record in records if record.state == "invoke"]
    asked = {record.operation: record.value["nemesis"] for record in begun}
    acted = {asked[record.operation] for record in records if record.state == "ok"}
    skipped = {record.value["nemesis"] for record in records if record.kind == "skipped"}
    assert acted | skipped == set(NEMESES) - {0}
    assert stack.disk is None or 12 in acted
    assert stack.clocks.library is None or 11 in acted


async def test_nothing_is_stored_on_a_full_disk_and_somebody_is_told(
    stack: Stack, talk: Talk, history: History
) -> None:
    if stack.disk is None:
        pytest.skip("This machine has no small disk: see the nemesis.")
    assert await talk.send("control") in (200, 201)
    field = Field(12, stack, Random(1), time.monotonic() + SECONDS, history)
    filling = asyncio.ensure_future(surroundings.fill_disk(field))
    refused = 0
    async with asyncio.timeout(SECONDS):
        while not refused:
            refused = 1 if await talk.send("no room") == 503 else 0
    field.until = 0
    filling.cancel()
    await asyncio.gather(filling, return_exceptions=True)
    assert await talk.send("room again") == 201
    [told] = list_told(history)
    assert told["effect"] >= refused


def list_told(history: History) -> list[dict[str, Any]]:
    """What was told with the end of each fault."""
    history.close()
    records = read_history(history.path)
    return [each.value for each in records if each.who == "nemesis" and each.state != "invoke"]


async def act_once(
    stack: Stack, history: History, act: Act, *, seconds: float = SECONDS
) -> dict[str, Any]:
    await act(Field(9, stack, Random(1), time.monotonic() + seconds, history))
    [told] = list_told(history)
    return told


async def test_who_never_reads_is_cut(stack: Stack, talk: Talk, history: History) -> None:
    for _ in range(20):
        assert await talk.send("🚲" * 4_000) in (200, 201)
    told = await act_once(stack, history, hostile.stop_reading)
    assert told["effect"] == 1, told
    assert told["seconds"] >= 10


@pytest.mark.parametrize(("cookie", "seconds"), [("sessionid=nobody", SECONDS), ("", 1)])
async def test_who_was_not_cut_for_it_met_nothing(
    stack: Stack,
    talk: Talk,
    history: History,
    monkeypatch: pytest.MonkeyPatch,
    cookie: str,
    seconds: float,
) -> None:
    """The handshake was refused; there was no time to find anybody slow."""
    assert await talk.send("control") in (200, 201)
    choose_place = hostile.choose_place

    async def choose(field: Field) -> tuple[str, str]:
        path, own = await choose_place(field)
        return path, cookie or own

    monkeypatch.setattr(hostile, "choose_place", choose)
    told = await act_once(stack, history, hostile.stop_reading, seconds=seconds)
    assert told["effect"] == 0
    assert told["status"] == (403 if cookie else 101)


async def test_a_flood_is_stopped_and_others_are_served(
    stack: Stack, talk: Talk, history: History
) -> None:
    assert await talk.send("control") in (200, 201)
    flooding = asyncio.ensure_future(act_once(stack, history, hostile.flood, seconds=6))
    while not flooding.done():
        assert await talk.send("meanwhile") == 201
        await asyncio.sleep(0.2)
    told = await flooding
    assert told["frames"] > 0
    assert told["effect"] > 0, told


async def test_what_it_costs_can_be_told(stack: Stack) -> None:
    for figures in (stack.memory(), stack.descriptors()):
        assert figures.keys() == {"database", "redis", *PROGRAMS}
        assert all(figures.values())
    assert 30_000_000 < stack.memory()["web1"] < 300_000_000
    assert await stack.database.count_connections() > 0
