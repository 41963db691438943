"""Delivery through a real SMTP server that accepts, refuses, hangs or drops."""

import asyncio
import socket
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from typing import Any

import pytest
import time_machine
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone

from notifications.models import Delivery
from notifications.services.deliver import deliver
from notifications.tests.conftest import owed_delivery
from notifications.tests.fake_source import FakeSource

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mail_settings")]


class Sink:
    """Keeps what it accepted; `mode` says how it behaves."""

    def __init__(self) -> None:
        self.mode = "accept"
        self.message_ids: list[str] = []

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if self.mode == "unknown":
            return "550 5.1.1 No such person"
        if self.mode == "greylist":
            return "451 4.7.1 Come back later"
        if self.mode == "hang":
            await asyncio.sleep(30)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        self.message_ids.append(str(message_from_bytes(envelope.content)["Message-ID"]))
        if self.mode == "drop after data":
            assert server.transport is not None
            server.transport.close()
        return "250 OK"


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    handler = Sink()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.EMAIL_TIMEOUT = 1
    yield handler
    controller.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def deliver_again(delivery: Delivery, clock: time_machine.Traveller) -> Delivery:
    """One attempt, at the moment when it is due."""
    clock.move_to(max(delivery.due_at, timezone.now()))
    deliver(delivery_id=delivery.pk)
    return Delivery.objects.get(pk=delivery.pk)


def test_it_arrives(
    source: FakeSource, seller: AbstractBaseUser, sink: Sink, clock: time_machine.Traveller
) -> None:
    delivery = deliver_again(owed_delivery(source, seller.pk), clock)

    assert delivery.state == Delivery.State.SENT
    assert sink.message_ids == [delivery.message_id]


@pytest.mark.parametrize("mode", ["greylist", "hang", "drop after data"])
def test_it_arrives_later_when_the_server_is_in_trouble(
    source: FakeSource,
    seller: AbstractBaseUser,
    sink: Sink,
    clock: time_machine.Traveller,
    mode: str,
) -> None:
    sink.mode = mode
    delivery = deliver_again(owed_delivery(source, seller.pk), clock)
    assert delivery.state == Delivery.State.PENDING
    assert delivery.due_at == timezone.now() + timedelta(seconds=10)

    sink.mode = "accept"
    delivery = deliver_again(delivery, clock)

    assert delivery.state == Delivery.State.SENT
    repeats = 2 if mode == "drop after data" else 1
    assert sink.message_ids == [delivery.message_id] * repeats


def test_it_arrives_once_when_the_server_was_down(
    source: FakeSource,
    seller: AbstractBaseUser,
    sink: Sink,
    clock: time_machine.Traveller,
    settings: Any,
) -> None:
    up, settings.EMAIL_PORT = settings.EMAIL_PORT, free_port()
    delivery = deliver_again(owed_delivery(source, seller.pk), clock)
    delivery = deliver_again(delivery, clock)
    assert (delivery.state, delivery.attempts) == (Delivery.State.PENDING, 2)

    settings.EMAIL_PORT = up
    delivery = deliver_again(delivery, clock)
    deliver(delivery_id=delivery.pk)

    assert sink.message_ids == [delivery.message_id]


def test_an_address_that_does_not_exist_is_given_up(
    source: FakeSource, seller: AbstractBaseUser, sink: Sink, clock: time_machine.Traveller
) -> None:
    sink.mode = "unknown"

    delivery = deliver_again(owed_delivery(source, seller.pk), clock)

    assert (delivery.state, delivery.trail[-1]["why"]) == (Delivery.State.FAILED, "refused")
