"""Processes are killed while people write: nothing acknowledged is lost, nothing comes twice."""

import http.client
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.live import Live
from tests.visitor import Visitor

pytestmark = pytest.mark.processes

SECONDS_BETWEEN_KILLS = 1.5


@dataclass
class Writer:
    """Somebody who keeps writing about one listing, and sends again what nobody acknowledged."""

    visitor: Visitor
    path: str
    name: str
    acknowledged: dict[str, str] = field(default_factory=dict)
    conversation: str = ""
    retries: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def write(self) -> None:
        while not self.stop.is_set():
            text = f"{self.name} {len(self.acknowledged)}"
            self.send(str(uuid.uuid4()), text)

    def send(self, client_message_id: str, text: str) -> None:
        """Until it is acknowledged: with the same id, so that it is stored once."""
        while True:
            try:
                status, answer = self.visitor.post(
                    self.path, message=text, client_message_id=client_message_id
                )
            except (OSError, http.client.HTTPException):
                status, answer = 0, {}
            if status in {200, 201}:
                self.acknowledged[client_message_id] = text
                self.go_on_in(answer["conversation"])
                return
            assert status in {0, 503}, (status, answer)
            self.retries += 1
            time.sleep(0.1)

    def go_on_in(self, conversation: str) -> None:
        self.conversation = conversation
        self.path = f"/conversation/{conversation}/new_message/"

    def read_all(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        after = 0
        while True:
            path = f"/conversation/{self.conversation}/messages/?after={after}"
            _, page = self.visitor.get(path)
            if not page["results"]:
                return messages
            messages += page["results"]
            after = messages[-1]["revision"]


@pytest.fixture
def writers(live: Live) -> list[Writer]:
    """Two buyers and two of Sol's listings; Sol has nothing open."""
    slugs = live.manage("shell", "--no-imports", "-c", NEWEST_SLUGS).split()
    people = ["ana@example.com", "teo@example.com"]
    return [
        Writer(Visitor(live, email), f"/listings/{slug}/conversation/", email.partition("@")[0])
        for email, slug in zip(people, slugs, strict=True)
    ]


NEWEST_SLUGS = """
from marketplace.listings.models import Listing
print(*Listing.objects.order_by("pk").values_list("slug", flat=True)[:2])
"""


def test_everything_may_be_killed_while_people_write(live: Live, writers: list[Writer]) -> None:
    threads = [threading.Thread(target=writer.write) for writer in writers]
    for thread in threads:
        thread.start()
    try:
        kill_one_after_the_other(live)
    finally:
        for writer in writers:
            writer.stop.set()
        for thread in threads:
            thread.join(30)
    for writer in writers:
        assert_stored_once_and_in_order(writer)
    assert any(writer.retries for writer in writers), "nobody noticed the kills: no load"
    assert_told(live, writers)


def kill_one_after_the_other(live: Live) -> None:
    for name in ("web", "worker", "redis", "beat", "web"):
        time.sleep(SECONDS_BETWEEN_KILLS)
        if name == "redis":
            live.redis.kill()
            time.sleep(SECONDS_BETWEEN_KILLS)
            live.redis.start()
        else:
            live.kill(name)
            live.start(name)
    time.sleep(SECONDS_BETWEEN_KILLS)


def assert_stored_once_and_in_order(writer: Writer) -> None:
    messages = writer.read_all()
    stored = [message["client_message_id"] for message in messages]
    assert sorted(stored) == sorted(writer.acknowledged)
    assert [message["sequence"] for message in messages] == list(range(1, len(messages) + 1))
    assert [message["revision"] for message in messages] == list(range(1, len(messages) + 1))
    assert [message["message"] for message in messages] == list(writer.acknowledged.values())


def assert_told(live: Live, writers: list[Writer]) -> None:
    """Sol was away all the time: a mail about each of the two conversations."""
    deadline = time.monotonic() + 60
    missing = {writer.conversation for writer in writers}
    while missing and time.monotonic() < deadline:
        time.sleep(0.5)
        mails = live.mails.sent_to("sol@example.com")
        missing -= {name for name in missing if any(name in text_of(mail) for mail in mails)}
    assert not missing


def text_of(mail: Any) -> str:
    return str(mail.get_body(preferencelist=("plain",)).get_content())
