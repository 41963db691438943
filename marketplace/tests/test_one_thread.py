"""How often a page is handed to a thread where the server is asynchronous."""

from typing import Any

import pytest
from asgiref.sync import SyncToAsync
from django.test import AsyncClient
from pytest_django import Settings

from accounts.models import User


@pytest.fixture
def handed_over(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was called in a thread, by name."""
    names: list[str] = []
    call = SyncToAsync.__call__

    async def note(self: Any, *arguments: Any, **more: Any) -> Any:
        names.append(getattr(self.func, "__qualname__", ""))
        return await call(self, *arguments, **more)

    monkeypatch.setattr(SyncToAsync, "__call__", note)
    return names


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("shared", [True, False])
async def test_no_middleware_is_handed_over_for_by_itself(
    buyer: User, handed_over: list[str], settings: Settings, shared: bool
) -> None:
    """Without the one that stands last nearly all of them are."""
    if not shared:
        *others, last = settings.MIDDLEWARE
        assert last == "marketplace.one_thread.InOneThreadMiddleware"
        settings.MIDDLEWARE = others
    client = AsyncClient()
    await client.aforce_login(buyer)
    handed_over.clear()

    response = await client.get("/conversations/")

    assert response.status_code == 200
    alone = [name for name in handed_over if name.endswith(("process_request", "process_response"))]
    assert len(alone) == 0 if shared else len(alone) > 10
