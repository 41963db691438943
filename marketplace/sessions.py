"""Django's sessions in the database, asked only for keys that can be there."""

import re

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore

KEY = re.compile("[a-z0-9]{32}")


class SessionStore(DatabaseSessionStore):
    """A cookie may say anything, a NUL among it, which PostgreSQL refuses with an error."""

    def _validate_session_key(self, key: str | None) -> bool:
        return bool(key and KEY.fullmatch(key))
