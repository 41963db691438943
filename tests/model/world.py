"""What the machine runs in: an event loop of its own, people, and the doors of the product."""

import asyncio
import json
import logging
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar
from uuid import UUID

import pytest
from channels import db as channels_db
from django.db import connection
from django.test import Client, RequestFactory

from accounts.models import User
from marketplace.listings.models import Listing
from messaging import consumers, views
from messaging.events import Event
from messaging.heartbeat import current_heartbeat
from messaging.hub import Hub
from messaging.journals import current_journals
from messaging.models import Block, Conversation, Message, Participant
from messaging.selectors.messages import changes_after
from messaging.tests.browsing import JSON
from messaging.tests.sockets import close_database_threads, end_what_was_started
from tests.cast import make_listing, make_person
from tests.model.tabs import Line
from tests.model.weather import Weather

T = TypeVar("T")
DEADLINE_SECONDS = 30
CHANGES_PAGE = 3  # Instead of 200: a replay of a few messages takes several pages.


class World:
    """Made once for many examples; each has people and a conversation of its own."""

    def __init__(self, patch: pytest.MonkeyPatch, settings: Any) -> None:
        settings.MESSAGING_SEND_LIMITS = []
        settings.MESSAGING_HEARTBEAT_SECONDS = 3600  # The machine beats.
        patch.setattr(logging.root.manager, "disable", logging.INFO)
        self.weather = Weather()
        patch.setattr(Hub, "publish", lambda hub, events: self.weather.publish(hub, events))
        patch.setattr(changes_after, "__defaults__", (CHANGES_PAGE,))
        patch.setattr(consumers, "WAIT_FOR_GAP_SECONDS", 0.0)
        patch.setattr(channels_db, "close_old_connections", lambda **kwargs: None)
        self._count = 0
        self._statements: tuple[Any, list[Any]] = None, []
        self.people: list[User] = []
        self.clients: list[Client] = []
        self._factory = RequestFactory()
        self.lines: list[Line] = []
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(DEADLINE_SECONDS)

    def run_for_long(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def begin(self) -> None:
        """Two people who have nothing to do with each other yet, and something for sale."""
        self._count += 1
        self.weather.fate, self.weather.here = "arrives", 0
        if not self.people:
            self._meet_people()
        self.listing: Listing = make_listing(self.people[1], f"Lamp {self._count}")
        self.conversation: UUID | None = None

    def _meet_people(self) -> None:
        self.people = [make_person(name) for name in ("Ana", "Sol")]
        for user in self.people:
            self.clients.append(Client())
            self.clients[-1].force_login(user)

    def end(self) -> None:
        """Nothing is left of it but the people."""
        self.run(self._close_lines())
        self.weather.late.clear()
        self.weather.processes.clear()
        Conversation.objects.all().delete()
        Block.objects.all().delete()

    async def _close_lines(self) -> None:
        for line in self.lines:
            await line.close()
        self.lines.clear()

    def close(self) -> None:
        self.run(self._close_lines())
        self.run(end_what_was_started())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        close_database_threads()
        self.loop.close()

    # --- Sockets ----------------------------------------------------------------------------------

    def connect(self, person: int, process: int, path: str) -> Line:
        line = Line(path, self.clients[person].cookies["sessionid"].value)
        self.run(self._connect(line, process))
        return line

    async def _connect(self, line: Line, process: int) -> None:
        before = set(current_heartbeat().connections)
        assert await line.open()
        (connection,) = set(current_heartbeat().connections) - before
        line.connection_id = connection.connection_id  # type: ignore[attr-defined]
        self.weather.processes[line.connection_id] = process
        self.lines.append(line)
        await self._settle()

    def hang_up(self, line: Line) -> None:
        self.lines.remove(line)
        self.run(line.close())

    def give(self, *pairs: tuple[Line, Any]) -> None:
        self.run(self._give(*pairs))

    async def _give(self, *pairs: tuple[Line, Any]) -> None:
        for line, frame in pairs:
            line.give(frame)
        await self._settle()

    def settle(self) -> None:
        self.run(self._settle())

    async def _settle(self) -> None:
        """Until nothing is on its way any more."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            quiet = 0
            while quiet < 3:
                await asyncio.sleep(0 if self._is_quiet() else 0.0005)
                quiet = quiet + 1 if self._is_quiet() else 0

    def _is_quiet(self) -> bool:
        journals = current_journals()
        if journals.is_at_work():
            return False
        connections: list[Any] = current_heartbeat().connections
        return all(line.is_idle for line in self.lines) and not any(
            each._mailbox or _runs(each._working) or each._tasks or _runs(each._changing)
            for each in connections
        )

    def beat(self) -> None:
        self.run(self._beat())

    async def _beat(self) -> None:
        await current_heartbeat()._check_rooms()
        await current_heartbeat()._check_inboxes()
        await self._settle()

    def arrive(self, order: list[int]) -> list[tuple[Any, Event]]:
        return self.run(self._arrive(order))

    async def _arrive(self, order: list[int]) -> list[tuple[Any, Event]]:
        arrived = self.weather.let_arrive(order)
        await self._settle()
        return arrived

    # --- Pages ------------------------------------------------------------------------------------

    def post(self, person: int, path: str, **fields: Any) -> tuple[int, dict[str, Any]]:
        response = self.clients[person].post(path, fields, JSON, headers={"Accept": JSON})
        self.settle()
        return response.status_code, response.json()

    def ask_url(self) -> str:
        """Where a question about what is for sale goes, the first one or another."""
        return f"/listings/{self.listing.slug}/conversation/"

    def url(self, tail: str = "") -> str:
        return f"/conversation/{self.conversation}/{tail}"

    def read_rows(self) -> list[Any]:
        """All that the pages are made of, as it stands in the tables. Cheap: no models."""
        found: list[Any] = []
        with connection.cursor() as cursor:
            for query, parameters in self._queries():
                cursor.execute(query, parameters)
                found += cursor.fetchall()
        return found

    def _queries(self) -> list[tuple[str, Any]]:
        key = self.conversation
        assert key is not None
        if self._statements[0] != key:
            made: list[Any] = [
                Conversation.objects.filter(pk=key),
                Participant.objects.filter(conversation_id=key).order_by("pk"),
                Message.objects.filter(conversation_id=key).order_by("pk"),
            ]
            self._statements = key, [rows.query.sql_with_params() for rows in made]
        return self._statements[1]

    def ask(self, person: int, view: Any, *names: str, **query: Any) -> dict[str, Any]:
        """The view itself: middleware and session have no part in what it shows."""
        request = self._factory.get("/", query, headers={"Accept": JSON})
        request.user = self.people[person]
        answer: dict[str, Any] = json.loads(view(request, *names).content)
        return answer

    def page_messages(self, person: int, after: int) -> list[dict[str, Any]]:
        """All changes since then, asked page by page."""
        found: list[dict[str, Any]] = []
        position: int | None = after
        while position is not None:
            page = self.ask(person, views.messages, str(self.conversation), after=position)
            assert len(page["results"]) <= CHANGES_PAGE, page
            found += page["results"]
            assert page["next"] is None or page["next"] > position, (position, page)
            position = page["next"]
        return found

    def ask_thread(self, person: int) -> dict[str, Any]:
        return self.ask(person, views.conversation, str(self.conversation))

    def ask_rows(self, person: int, *, archived: bool) -> list[dict[str, Any]]:
        state = "archived" if archived else ""
        found = self.ask(person, views.conversations, listing=self.listing.slug, state=state)
        rows: list[dict[str, Any]] = found["results"]
        return rows


def _runs(task: Any) -> bool:
    return task is not None and not task.done()
