"""Pages of a refusal, which Django makes in a thread that belongs to no request."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import pytest
from django.db import connection
from django.test import AsyncClient

from accounts.models import User


@pytest.fixture
def one_thread() -> Iterator[ThreadPoolExecutor]:
    """That thread. Asked afterwards, it is the same one."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture
async def reader(buyer: User, one_thread: ThreadPoolExecutor) -> AsyncClient:
    asyncio.get_running_loop().set_default_executor(one_thread)
    client = AsyncClient()
    await client.aforce_login(buyer)
    return client


def has_connection() -> bool:
    return connection.connection is not None


def lose_connection() -> None:
    """As a restart of the database does, which nobody is told of."""
    connection.ensure_connection()
    connection.connection.close()


@pytest.mark.django_db(transaction=True)
async def test_it_gives_its_connection_back(
    reader: AsyncClient, one_thread: ThreadPoolExecutor
) -> None:
    response = await reader.get("/nowhere/")

    assert response.status_code == HTTPStatus.NOT_FOUND
    # Whoever is signed in has their unread messages counted on it.
    assert "/conversations/" in response.content.decode()
    assert not one_thread.submit(has_connection).result()


@pytest.mark.django_db(transaction=True)
async def test_it_is_made_after_the_database_has_come_back(
    reader: AsyncClient, one_thread: ThreadPoolExecutor
) -> None:
    one_thread.submit(lose_connection).result()

    response = await reader.get("/nowhere/")

    assert response.status_code == HTTPStatus.NOT_FOUND
