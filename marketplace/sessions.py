"""Django's sessions in the database, asked only for keys that can be there, and none for ever."""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore

KEY = re.compile("[a-z0-9]{32}")
BEGAN = "began"
# Django ends a session two weeks after the last change in it; whoever keeps changing something
# signs in again all the same.
LONGEST = timedelta(days=30)


class SessionStore(DatabaseSessionStore):
    """A cookie may say anything, a NUL among it, which PostgreSQL refuses with an error."""

    def _validate_session_key(self, key: str | None) -> bool:
        return bool(key and KEY.fullmatch(key))

    def cycle_key(self) -> None:
        """At a sign-in and at a new password: the days are counted from here.

        Django asks for it as well where SECRET_KEY is another, on its way to a new hash. The key is
        no secret of that one's: it stays, for what else knows it, the list of sessions and other
        requests on their way with it.
        """
        if not self._is_of_earlier_secret_key():
            self.pop(BEGAN, None)
            super().cycle_key()

    async def acycle_key(self) -> None:
        if not await sync_to_async(self._is_of_earlier_secret_key)():
            await self.apop(BEGAN, None)
            await super().acycle_key()

    def _is_of_earlier_secret_key(self) -> bool:
        number, auth_hash = self.get(SESSION_KEY, ""), self.get(HASH_SESSION_KEY, "")
        people = get_user_model()._default_manager
        user = people.filter(pk=number).first() if number else None
        return user is not None and auth_hash in user.get_session_auth_fallback_hash()

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        return _bounded(super().create_model_instance(_begun(data)), data)

    async def acreate_model_instance(self, data: dict[str, Any]) -> Any:
        return _bounded(await super().acreate_model_instance(_begun(data)), data)


def _begun(data: dict[str, Any]) -> dict[str, Any]:
    data.setdefault(BEGAN, int(time.time()))
    return data


def _bounded(row: Any, data: dict[str, Any]) -> Any:
    row.expire_date = min(row.expire_date, datetime.fromtimestamp(data[BEGAN], UTC) + LONGEST)
    return row
