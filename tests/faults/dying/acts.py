"""What a child of the nursery does: each act goes through the doors that people and workers use.

`arm()` is called when the operation itself begins: what comes before it (a handshake, say) is not
where a process is to die.
"""

import asyncio
import gc
import json
import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import django

django.setup()

import time_machine  # noqa: E402
from asgiref.testing import ApplicationCommunicator  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.handlers.base import BaseHandler  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import get_resolver, reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

from marketplace.privacy.services.export import due_exports, make_export  # noqa: E402
from marketplace.sessions import SessionStore  # noqa: E402
from messaging import runtime  # noqa: E402
from messaging.attendance import current_attendance  # noqa: E402
from messaging.bus import current_bus  # noqa: E402
from messaging.routing import websocket_application  # noqa: E402
from notifications.models import Delivery  # noqa: E402
from notifications.tasks import create_notifications, send_notification_email  # noqa: E402
from tests.faults.dying import scenes  # noqa: E402

ANSWER_SECONDS = 20
HOST = settings.SITE_URL.partition("://")[2]


def warm() -> None:
    """Whatever is read lazily is read once, here, and nothing is connected to."""
    handler = BaseHandler()
    handler.load_middleware()
    get_resolver().url_patterns  # noqa: B018
    gc.collect()


def migrate(report: Any, arm: Any) -> None:
    call_command("migrate", verbosity=0)


def make_scenes(report: Any, arm: Any, names: list[str]) -> None:
    for name in names:
        report(**scenes.make(name))


def make_listings(report: Any, arm: Any, seller: int, name: str, count: int) -> None:
    for slug in scenes.make_listings(seller, name, count):
        report(slug=slug)


def make_sessions(report: Any, arm: Any, person: int, count: int) -> None:
    for key in scenes.make_sessions(person, count):
        report(session=key)


# --- Pages ----------------------------------------------------------------------------------------


def post(report: Any, arm: Any, session: str, path: str, fields: dict[str, Any]) -> None:
    client = Client(headers={"accept": "application/json", "host": HOST})
    client.cookies["sessionid"] = session
    arm()
    answer = client.post(path, fields, content_type="application/json")
    report(status=answer.status_code, **answer.json())
    _finish_publishing()


def _finish_publishing() -> None:
    """What was handed to the process's loop comes before this."""

    async def finish() -> None:
        await current_bus().finish()

    asyncio.run_coroutine_threadsafe(finish(), runtime._process_loop()).result(ANSWER_SECONDS)


# --- Sockets --------------------------------------------------------------------------------------


def talk(
    report: Any, arm: Any, session: str, conversation: str, frames: list[dict[str, Any]]
) -> None:
    """Send frames in one breath over a room's socket; report what answers each."""
    asyncio.run(_talk(report, arm, session, f"/ws/room/{conversation}/", frames))


async def _talk(
    report: Any, arm: Any, session: str, path: str, frames: list[dict[str, Any]]
) -> None:
    origin = settings.MESSAGING_ALLOWED_ORIGINS[0]
    scope = {
        "type": "websocket",
        "path": path,
        "query_string": b"",
        "headers": [(b"origin", origin.encode()), (b"cookie", f"sessionid={session}".encode())],
        "subprotocols": [],
    }
    socket: Any = ApplicationCommunicator(websocket_application, scope)  # type: ignore[no-untyped-call]
    await socket.send_input({"type": "websocket.connect"})
    await _receive(socket, "ready")
    while current_attendance()._tasks:  # That somebody came online is published too.
        await asyncio.sleep(0.001)
    await current_bus().finish()
    arm()
    for frame in frames:
        await socket.send_input({"type": "websocket.receive", "text": json.dumps(frame)})
    for _ in frames:
        report(**await _receive(socket, "ack", "error"))
    await current_bus().finish()


async def _receive(socket: Any, *types: str) -> dict[str, Any]:
    while True:
        output = await socket.receive_output(ANSWER_SECONDS)
        assert output["type"] in ("websocket.accept", "websocket.send"), output
        frame: dict[str, Any] = json.loads(output.get("text", "{}"))
        if frame.get("type") in types:
            return frame


# --- Everything else ------------------------------------------------------------------------------


def end_session(report: Any, arm: Any, session: str) -> None:
    """As somebody ends it from elsewhere: the row goes, and Django tells it."""
    arm()
    SessionStore(session).delete()
    report(status=200)
    _finish_publishing()


def work(report: Any, arm: Any, shift: float = 0) -> None:
    """A sweep, then every delivery that is not decided, as a worker takes them; `shift` seconds
    from now, when whatever a dead process had claimed is free again."""
    if shift:
        time_machine.travel(datetime.now(UTC) + timedelta(seconds=shift)).start()
    arm()
    create_notifications()
    for key in Delivery.objects.filter(state__in=Delivery.OPEN_STATES).values_list("pk", flat=True):
        send_notification_email(str(key))
    report(status=200, process=os.getpid())


def ask_for_copy(report: Any, arm: Any, session: str) -> None:
    """By somebody who has just shown that it is really them."""
    store = SessionStore(session)
    store["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    store["account_authentication_methods_user"] = store["_auth_user_id"]
    store.save()
    client = Client(headers={"host": HOST})
    client.cookies["sessionid"] = session
    page = reverse("privacy:export")
    arm()
    answer = client.post(page)
    report(status=200 if answer.headers.get("location") == page else answer.status_code)


def make_copies(report: Any, arm: Any) -> None:
    """Those that a worker's sweep finds."""
    for found in due_exports(now=timezone.now()):
        make_export(export_id=found.pk)
    report(status=200)


ACTS = {
    function.__name__: function
    for function in (
        migrate,
        make_scenes,
        make_listings,
        make_sessions,
        post,
        talk,
        end_session,
        work,
        ask_for_copy,
        make_copies,
    )
}
