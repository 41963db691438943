"""Refusals, which Django asks for in a thread that belongs to no request."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

import pytest
from django.db import connection
from django.test import AsyncClient

from accounts.models import User
from marketplace import errors
from messaging.selectors.conversations import count_unread_conversations


@pytest.fixture
def one_thread() -> Iterator[ThreadPoolExecutor]:
    """That thread. Asked afterwards, it is the same one."""
    with ThreadPoolExecutor(1, thread_name_prefix="nobodys") as executor:
        yield executor


@pytest.fixture
async def reader(buyer: User, one_thread: ThreadPoolExecutor) -> AsyncClient:
    asyncio.get_running_loop().set_default_executor(one_thread)
    client = AsyncClient()
    await client.aforce_login(buyer)
    return client


@pytest.fixture
def called_in(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The threads in which a missing page was refused, and in which its reader's messages were
    counted for it."""
    threads: dict[str, list[str]] = {"refused": [], "counted": []}

    def note(name: str, function: Any) -> Any:
        def called(*arguments: Any, **more: Any) -> Any:
            threads[name].append(threading.current_thread().name)
            return function(*arguments, **more)

        return called

    counted = note("counted", count_unread_conversations)
    monkeypatch.setattr("messaging.context_processors.count_unread_conversations", counted)
    monkeypatch.setattr(errors, "refuse", note("refused", errors.refuse))
    return threads


def has_connection() -> bool:
    return connection.connection is not None


@pytest.mark.django_db(transaction=True)
async def test_its_page_asks_over_the_connection_of_the_request(
    reader: AsyncClient, one_thread: ThreadPoolExecutor, called_in: dict[str, list[str]]
) -> None:
    response = await reader.get("/nowhere/")

    assert response.status_code == HTTPStatus.NOT_FOUND
    assert "/conversations/" in response.content.decode()
    assert called_in["refused"] == ["nobodys_0"]
    assert len(called_in["counted"]) == 1
    assert called_in["counted"] != called_in["refused"]
    assert not one_thread.submit(has_connection).result()
