"""The mail server of a campaign: keeps what it takes, and fails in every way for a share of it."""

import asyncio
import email
import email.policy
import random
import time
from collections import Counter
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from tests.faults.servers.ports import find_quiet_port
from tests.services.mails import MailSink

# Longer than the product waits for an answer (EMAIL_TIMEOUT, 10 s).
HANG_SECONDS = 14
DRIP_SECONDS = 0.3
REFUSALS = {"refused for now": "451 try later", "refused": "550 no such mailbox"}
TOO_LATE = "451 too late"
# What the sender is not told about although it was taken.
KEPT_SILENTLY = ("closed", "hung after taking")
FAULTS = (*REFUSALS, "hung", "dripped", *KEPT_SILENTLY)


@dataclass(frozen=True)
class KeptMail:
    """`at`: `time.monotonic()` at the end of DATA. `fault` is empty for most."""

    at: float
    recipients: tuple[str, ...]
    fault: str
    content: bytes

    @property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.content, policy=email.policy.default)


@dataclass(frozen=True)
class Refusal:
    """`at`: `time.monotonic()` at the end of DATA. After a permanent one nobody may try again."""

    at: float
    recipients: tuple[str, ...]
    code: int
    permanent: bool


class FaultyMailSink(MailSink):
    """`share` of the mails, of 1, meet one of `faults`. Kept as bytes: a campaign sends many."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.port = find_quiet_port()
        self.random = random.Random(f"{seed} mail")
        self.share = 0.0
        self.faults: tuple[str, ...] = FAULTS
        self.kept: list[KeptMail] = []
        self.refusals: list[Refusal] = []
        self.counts: Counter[str] = Counter()

    def heal(self) -> None:
        self.share = 0.0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        at = time.monotonic()
        fault = self.random.choice(self.faults) if self.random.random() < self.share else ""
        self.counts[fault or "taken"] += 1
        if fault in REFUSALS:
            return self.refuse(at, envelope, REFUSALS[fault])
        if fault == "hung":
            await asyncio.sleep(HANG_SECONDS)
            return self.refuse(at, envelope, TOO_LATE)
        self.keep(KeptMail(at, tuple(envelope.rcpt_tos), fault, envelope.original_content))
        return await self.answer(fault, server)

    def refuse(self, at: float, envelope: Any, answer: str) -> str:
        code = int(answer.partition(" ")[0])
        self.refusals.append(Refusal(at, tuple(envelope.rcpt_tos), code, code >= 500))
        return answer

    def keep(self, mail: KeptMail) -> None:
        with self.arrived:
            self.kept.append(mail)
            self.arrived.notify_all()

    async def answer(self, fault: str, server: Any) -> str:
        if fault == "closed":
            server.transport.abort()
        if fault == "hung after taking":
            await asyncio.sleep(HANG_SECONDS)
        if fault == "dripped":
            for byte in b"250 ke":
                server.transport.write(bytes([byte]))
                await asyncio.sleep(DRIP_SECONDS)
            return "pt"
        return "250 kept"

    def sent_to(self, address: str) -> list[EmailMessage]:
        return [mail.message for mail in self.kept if address in mail.recipients]
