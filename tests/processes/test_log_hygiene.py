"""No log of any process holds what people write, a password, a token or a full address.

Things with canaries in them happen, and fail, in real processes; then all logs are searched.
"""

import asyncio
import json
import re
import subprocess
import sys
import time
import urllib.parse
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import websockets

from marketplace.development.children import start_child, stop_children, wait_until
from tests.live import Live
from tests.processes.crashing import QUEUE
from tests.services.places import PROJECT
from tests.services.ports import find_free_port, is_listened_to
from tests.visitor import Visitor

pytestmark = pytest.mark.processes

BODY = f"purple-canary-{uuid.uuid4().hex[:8]}"
PASSWORD = f"Red-canary-{uuid.uuid4().hex[:8]}"
SEARCH = f"green-canary-{uuid.uuid4().hex[:8]}"
LOCAL_PART = f"canary{uuid.uuid4().hex[:8]}"
ADDRESS = f"{LOCAL_PART}@birds-of-trato.example"
CONTROL = f"control-{uuid.uuid4().hex}"
SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.processes.crashing_settings"}
SEND_CRASH = f"""
from celery_app import app
app.send_task("tests.crash", args=[{BODY!r}], queue={QUEUE!r})
"""


@dataclass
class Crashing:
    """A web process and a worker in which things fail, on the live database and Redis."""

    live: Live
    port: int
    processes: list[subprocess.Popen[bytes]]

    def post(self, path: str, **fields: str) -> None:
        """Curl sends it: the headers are ours to choose."""
        body = urllib.parse.urlencode(fields)
        subprocess.run(
            ["curl", "-s", "-d", body, "-H", f"X-Request-ID: {CONTROL}"]
            + ["-H", f"Cookie: sessionid={BODY}; csrftoken={PASSWORD}"]
            + [f"http://127.0.0.1:{self.port}{path}?q={SEARCH}"],
            capture_output=True,
            timeout=10,
            check=True,
        )


@pytest.fixture
def crashing(live: Live) -> Iterator[Crashing]:
    port = find_free_port()
    listen = ["--bind", "127.0.0.1", "--port", str(port)]
    worker = ["celery", "-A", "celery_app", "worker", "--pool", "threads", "--concurrency", "1"]
    worker += ["--include", "tests.processes.crashing", "-Q", QUEUE, "-n", "crashing@%h"]
    commands = {
        "crashing-web": ["messaging.daphne", *listen, "marketplace.asgi:application"],
        "crashing-worker": [*worker, "--loglevel", "INFO"],
    }
    origins = {"ALLOWED_ORIGINS": f"{live.url},http://127.0.0.1:{port}"}
    processes = [start(live, name, command, **origins) for name, command in commands.items()]
    wait_until(lambda: is_listened_to(port), seconds=20, what="the web server", child=processes[0])
    yield Crashing(live, port, processes)
    stop_children(processes, seconds=10)


def start(live: Live, name: str, command: list[str], **variables: str) -> subprocess.Popen[bytes]:
    with (live.directory / f"{name}.log").open("ab") as log:
        return start_child(
            [sys.executable, "-m", *command],
            environment={**live.environment, **SETTINGS, "LOG_LEVEL": "DEBUG", **variables},
            directory=PROJECT,
            output=log,
        )


def find_in_logs(live: Live, text: str) -> list[str]:
    """The names of the logs that hold it, in whatever spelling a log may have it."""
    spellings = {text, urllib.parse.quote(text), json.dumps(text)[1:-1], repr(text)[1:-1]}
    logs = sorted(live.directory.glob("*.log"))
    return [
        log.name for log in logs if any(s in log.read_text(errors="replace") for s in spellings)
    ]


def test_no_log_holds_a_secret(live: Live, crashing: Crashing) -> None:
    live.add_person("Canary", ADDRESS)
    visitor = Visitor(live, ADDRESS)
    conversation = talk(live, visitor)
    asyncio.run(talk_over_a_socket(live, visitor, conversation))
    fail_at_signing_in(live)
    token = ask_for_a_new_password(live)
    crash_everywhere(live, crashing)
    refuse_mails(live)
    secrets = {
        "body": BODY,
        "password": PASSWORD,
        "search": SEARCH,
        "address": LOCAL_PART,
        "session": visitor.cookie("sessionid"),
        "csrf": visitor.token,
        "token": token,
    }
    assert all(len(secret) > 5 for secret in secrets.values()), "a secret that is none"
    assert_the_search_finds_what_is_there(live, conversation)
    found = {name: find_in_logs(live, secret) for name, secret in secrets.items()}
    assert not {name: logs for name, logs in found.items() if logs}


def assert_the_search_finds_what_is_there(live: Live, conversation: str) -> None:
    assert find_in_logs(live, CONTROL) == ["crashing-web.log"]
    assert "web.log" in find_in_logs(live, conversation)
    assert find_in_logs(live, "ValueError") == ["crashing-web.log", "crashing-worker.log"]
    assert "crashing-web.log" in find_in_logs(live, "UniqueViolation(23505, said_pkey)")
    assert "crashing-web.log" in find_in_logs(live, "c***@birds-of-trato.example")
    assert "worker.log" in find_in_logs(live, "SMTP")
    copy = live.directory / "canary.log"
    copy.write_text(json.dumps({"message": BODY}))
    assert find_in_logs(live, BODY) == ["canary.log"]
    copy.unlink()


def talk(live: Live, visitor: Visitor) -> str:
    slug = live.manage("shell", "--no-imports", "-c", SLUG).strip()
    status, stored = visitor.post(f"/listings/{slug}/conversation/", message=BODY)
    assert status == 201
    conversation = str(stored["conversation"])
    path = f"/conversation/{conversation}/new_message/"
    for fields in ({"message": BODY}, {"message": BODY * 400}, {"message": BODY + "\x00\ud800"}):
        visitor.post(path, client_message_id="not-a-uuid", **fields)
        visitor.post(path, **fields)
    visitor.get(f"/conversations/?q={SEARCH}")
    visitor.open(f"/no/such/page/?next={SEARCH}")
    visitor.open(f"/?q={SEARCH}")
    return conversation


SLUG = """
from marketplace.listings.models import Listing
print(Listing.objects.filter(seller__email="sol@example.com").order_by("pk")[3].slug)
"""


async def talk_over_a_socket(live: Live, visitor: Visitor, conversation: str) -> None:
    async with websockets.connect(
        f"{live.socket_url}/ws/room/{conversation}/?after=0",
        origin=websockets.Origin(live.url),
        additional_headers={"Cookie": visitor.cookie_header},
    ) as socket:
        await socket.send(json.dumps({"message": BODY}))
        await socket.send(json.dumps({"type": BODY, "message": BODY}))
        await socket.send(BODY)
        await socket.send(json.dumps({"type": "read", "sequence": BODY}))
        async with asyncio.timeout(10):
            while json.loads(await socket.recv())["type"] != "error":
                pass
        await socket.send(BODY.encode())
        async with asyncio.timeout(10):
            await socket.wait_closed()


def fail_at_signing_in(live: Live) -> None:
    for address in (ADDRESS, f"x{ADDRESS}"):
        with pytest.raises(AssertionError, match="could not sign in"):
            KnockingVisitor(live, address)


class KnockingVisitor(Visitor):
    def sign_in(self, email: str) -> None:
        self.open("/accounts/login/")
        fields = {"login": email, "password": PASSWORD, "csrfmiddlewaretoken": self.token}
        self.open("/accounts/login/", urllib.parse.urlencode(fields).encode())
        assert self.cookie("sessionid"), f"{email} could not sign in"


class Somebody(Visitor):
    """Signed out."""

    def sign_in(self, email: str) -> None:
        self.open("/accounts/login/")


def ask_for_a_new_password(live: Live) -> str:
    """The key in the link of the mail, after the link was opened; or the code of the mail."""
    visitor = Somebody(live, ADDRESS)
    visitor.open("/accounts/password/reset/")
    fields = {"email": ADDRESS, "csrfmiddlewaretoken": visitor.token}
    visitor.open("/accounts/password/reset/", urllib.parse.urlencode(fields).encode())
    text = str(live.mails.wait_for(ADDRESS)[-1].get_body(("plain",)).get_content())  # type: ignore[union-attr]
    link = re.search(r"/accounts/password/reset/key/([^/\s]+)/", text)
    assert link, text
    visitor.open(link.group())
    return link.group(1)


def crash_everywhere(live: Live, crashing: Crashing) -> None:
    fields: dict[str, Any] = {"message": BODY, "password": PASSWORD, "address": ADDRESS}
    for path in ("/crash/raise/", "/crash/constraint/", "/crash/careless/", "/accounts/login/"):
        crashing.post(path, **fields)
    live.manage("shell", "--no-imports", "-c", SEND_CRASH)
    wait_until(
        lambda: "ValueError" in (live.directory / "crashing-worker.log").read_text(),
        seconds=30,
        what="the task that fails",
        child=crashing.processes[1],
    )


def refuse_mails(live: Live) -> None:
    """The mail about the messages above, and that about a forgotten password."""
    live.mails.refuse_with = f"451 {ADDRESS} {BODY} later"
    try:
        before = (live.directory / "worker.log").stat().st_size
        seller = Visitor(live, "sol@example.com")
        _, inbox = seller.get("/conversations/")
        seller.post(
            f"/conversation/{inbox['results'][0]['conversation']}/new_message/", message=BODY
        )
        visitor = Somebody(live, ADDRESS)
        visitor.open("/accounts/password/reset/")
        fields = {"email": ADDRESS, "csrfmiddlewaretoken": visitor.token}
        visitor.open("/accounts/password/reset/", urllib.parse.urlencode(fields).encode())
        wait_for_failures(live.directory / "worker.log", before)
    finally:
        live.mails.refuse_with = ""


def wait_for_failures(log: Path, offset: int) -> None:
    deadline = time.monotonic() + 30
    while "Delivery" not in log.read_text()[offset:]:
        assert time.monotonic() < deadline, "no mail was refused"
        time.sleep(0.2)
