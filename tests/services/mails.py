"""An SMTP server that keeps what it is sent, and can be told to be away or to refuse."""

import email
import email.policy
import threading
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from tests.services.ports import find_free_port


class MailSink:
    """Listens on the same port of 127.0.0.1 over `stop` and `start`."""

    def __init__(self) -> None:
        self.port = find_free_port()
        self.refuse_with = ""  # An SMTP answer such as “451 try later”; empty takes the mail.
        self.received: list[EmailMessage] = []
        self.arrived = threading.Condition()
        self.controller: Controller | None = None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> "MailSink":
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()
        return self

    def stop(self) -> None:
        if self.controller is not None:
            self.controller.stop()
            self.controller = None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refuse_with:
            return self.refuse_with
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        with self.arrived:
            self.received.append(message)
            self.arrived.notify_all()
        return "250 kept"

    def sent_to(self, address: str) -> list[EmailMessage]:
        return [message for message in self.received if address in str(message["To"])]

    def wait_for(self, address: str, *, count: int = 1, seconds: float = 30) -> list[EmailMessage]:
        """The mails to `address`, as soon as there are `count`. AssertionError when not in time."""
        with self.arrived:
            arrived = self.arrived.wait_for(lambda: len(self.sent_to(address)) >= count, seconds)
        found = self.sent_to(address)
        assert arrived, f"{len(found)} of {count} mails to {address} within {seconds:g} s"
        return found
