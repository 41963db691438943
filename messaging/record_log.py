"""One log record for each socket that comes, goes or is refused, and for each refusal that somebody
may ask about later. Ids, codes and origins only: nothing that people write, and no key.

Everything of a record that is not its sentence is in `details`, a plain dictionary.
"""

import logging
import time
from typing import Any

from messaging import handshake, metrics
from messaging.events import public_id
from messaging.exceptions import MessagingError

logger = logging.getLogger("messaging.access")

# Denied access and limits. The rest is somebody's typing mistake and is counted only.
TOLD = {"unauthenticated", "forbidden", "not_found", "rate_limited", "unavailable"}
ABNORMAL = 1006
LONGEST_ORIGIN = 200


def note_opened(connection: Any) -> None:
    connection.opened_at = time.monotonic()
    metrics.SOCKETS_OPENED.add()
    logger.info("socket opened", extra={"details": _describe(connection)})


def note_ended(connection: Any) -> None:
    """A socket that was open has ended, whoever ended it."""
    if connection.opened_at is None:
        return
    code = connection.close_code or ABNORMAL
    metrics.SOCKETS_CLOSED.add(1, str(code))
    seconds = round(time.monotonic() - connection.opened_at, 3)
    details = {**_describe(connection), "code": code, "seconds": seconds}
    logger.info("socket closed", extra={"details": details})


def note_refused_handshake(scope: Any) -> None:
    metrics.HANDSHAKES_REFUSED.add()
    details = {"path": scope.get("path", ""), "origin": _origin(scope)}
    logger.info("socket refused", extra={"details": details})


def note_refusal(error: MessagingError, connection: Any) -> None:
    """Over a socket. A page that is refused has its line with its status already."""
    metrics.REFUSED.add(1, "socket", error.code)
    if error.code in TOLD:
        user = public_id(connection.person.id)
        details = {"code": error.code, "user": user, "connection_id": connection.connection_id}
        logger.info("refused", extra={"details": details})


def _describe(connection: Any) -> dict[str, Any]:
    return {
        "path": connection.scope["path"],
        "origin": _origin(connection.scope),
        "user": public_id(connection.person.id),
        "connection_id": connection.connection_id,
    }


def _origin(scope: Any) -> str:
    return (handshake.read_origin(scope) or "")[:LONGEST_ORIGIN]
