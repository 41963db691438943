"""`/metrics/`: only for who knows the token, and its figures move with what people do."""

import asyncio
import threading
import timeit
from typing import Any

import pytest
from django.test import AsyncClient, Client
from pytest_django import Settings

from messaging import bus, hub
from messaging.metrics_registry import Counter, Gauge, Histogram, render
from messaging.models import Conversation
from messaging.tests.layers import fail, put_in_place
from messaging.tests.sockets import Sockets

TOKEN = "a-token-for-metrics"


@pytest.fixture(autouse=True)
def token(settings: Settings) -> None:
    settings.MESSAGING_METRICS_TOKEN = TOKEN


async def scrape() -> dict[str, float]:
    """Each sample by its name and labels, as Prometheus reads them."""
    response = await AsyncClient().get("/metrics/", headers={"authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = response.content.decode().splitlines()
    samples = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    return {name: float(value) for name, _space, value in samples}


async def changes(before: dict[str, float]) -> dict[str, float]:
    after = await scrape()
    return {
        name: value - before.get(name, 0)
        for name, value in after.items()
        if value != before.get(name, 0)
    }


@pytest.mark.parametrize(
    "given",
    [{}, {"authorization": "Bearer x"}, {"authorization": TOKEN}, {"authorization": "Bearer "}],
)
def test_without_the_token_there_is_no_such_page(
    client: Client, db: None, given: dict[str, str]
) -> None:
    refused = client.get("/metrics/", headers=given)
    missing = client.get("/no-such-page/", headers=given)
    assert refused.status_code == missing.status_code == 404
    assert len(refused.content) == pytest.approx(len(missing.content), abs=20)
    assert b"messaging_" not in refused.content


def test_without_a_token_in_the_settings_nobody_gets_in(
    client: Client, db: None, settings: Settings
) -> None:
    settings.MESSAGING_METRICS_TOKEN = ""
    assert client.get("/metrics/", headers={"authorization": "Bearer "}).status_code == 404


async def test_connections_and_messages_are_counted(
    sockets: Sockets, conversation: Conversation, buyer: Any, seller: Any
) -> None:
    before = await scrape()
    room = await sockets.room(buyer, conversation.pk)
    inbox = await sockets.inbox(seller)
    await room.send(message="Hello")
    await room.expect("ack")
    await inbox.expect("chat_message")
    moved = await changes(before)
    assert moved['messaging_connections{kind="room"}'] == 1
    assert moved['messaging_connections{kind="inbox"}'] == 1
    assert moved["messaging_sockets_opened_total"] == 2
    assert moved['messaging_messages_acknowledged_total{result="stored"}'] == 1
    assert moved["messaging_commit_seconds_count"] == 1
    assert 0 < moved["messaging_commit_seconds_sum"] < 5
    assert moved["messaging_batch_messages_sum"] == 1
    assert moved['messaging_batch_messages_bucket{le="1"}'] == 1


async def test_refusals_are_counted_by_door_and_code(
    sockets: Sockets, conversation: Conversation, buyer: Any, stranger: Any
) -> None:
    room = await sockets.room(buyer, conversation.pk)
    before = await scrape()
    await room.send(message="")
    await room.expect("error")
    client = await asyncio.to_thread(sockets.client, stranger)
    await asyncio.to_thread(client.get, f"/conversation/{conversation.pk}/")
    assert await sockets.refuses(stranger, f"/ws/room/{conversation.pk}/")
    await room.close()
    moved = await changes(before)
    assert moved['messaging_refusals_total{door="socket",code="empty"}'] == 1
    assert moved['messaging_refusals_total{door="page",code="not_found"}'] == 1
    assert moved["messaging_handshakes_refused_total"] == 1
    assert moved['messaging_sockets_closed_total{code="1000"}'] == 1


async def test_a_limit_that_was_hit_is_counted(
    sockets: Sockets, conversation: Conversation, buyer: Any, settings: Settings
) -> None:
    from messaging import rate_limits

    settings.MESSAGING_SEND_LIMITS = [(1, 60.0)]
    rate_limits.forget_all()
    before = await scrape()
    room = await sockets.room(buyer, conversation.pk)
    for _ in range(2):
        await room.send(message="Hello")
    await room.expect("ack")
    await room.expect("error")
    rate_limits.forget_all()
    moved = await changes(before)
    assert moved['messaging_refusals_total{door="socket",code="rate_limited"}'] == 1


async def test_what_the_layer_does_not_take_is_counted(
    sockets: Sockets, conversation: Conversation, buyer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await sockets.room(buyer, conversation.pk)
    before = await scrape()
    put_in_place(monkeypatch).act = fail
    await room.send(message="Nobody elsewhere hears this")
    await room.expect("ack")
    await bus.current_bus().finish()
    moved = await changes(before)
    assert moved["messaging_publish_failures_total"] >= 1
    assert moved["messaging_events_dropped_total"] >= 1


async def test_a_gap_that_was_read_is_counted(
    sockets: Sockets,
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first of two messages never arrives as an event."""
    room, writer = (
        await sockets.room(buyer, conversation.pk),
        await sockets.room(seller, conversation.pk),
    )
    before = await scrape()
    deliver = hub.current_hub().deliver
    monkeypatch.setattr(hub.current_hub(), "deliver", lambda events: None)
    await writer.send(message="Lost on the way")
    await writer.expect("ack")
    monkeypatch.setattr(hub.current_hub(), "deliver", deliver)
    await writer.send(message="Arrives")
    await writer.expect("ack")
    assert (await room.expect("chat_message"))["message"] == "Lost on the way"
    assert (await room.expect("chat_message"))["message"] == "Arrives"
    moved = await changes(before)
    assert moved['messaging_gaps_read_total{noticed="event"}'] >= 1
    assert moved["messaging_catch_up_seconds_count"] >= 1


async def test_a_database_that_does_not_answer_costs_only_its_own_figures(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise OSError

    assert (await scrape())["messaging_database_up"] == 1
    monkeypatch.setattr("messaging.metrics_page.read_figures", away)
    found = await scrape()
    assert found["messaging_database_up"] == 0
    assert "notifications_deliveries_due" not in found
    assert "messaging_journal_depth" in found


def test_the_format_is_that_of_prometheus() -> None:
    refused = Counter("a_total", "Line\nbreak \\ here.", labels=["why"])
    refused.add(2, 'a "quoted"\nvalue\\')
    seconds = Histogram("b_seconds", "Times.", (0.1, 1))
    for value in (0.1, 0.5, 7):
        seconds.observe(value)
    depth = Gauge("c", "Now.")
    depth.read = lambda: 1.5
    assert render([refused, seconds, depth]) == (
        "# HELP a_total Line\\nbreak \\\\ here.\n"
        "# TYPE a_total counter\n"
        'a_total{why="a \\"quoted\\"\\nvalue\\\\"} 2\n'
        "# HELP b_seconds Times.\n"
        "# TYPE b_seconds histogram\n"
        'b_seconds_bucket{le="0.1"} 1\n'
        'b_seconds_bucket{le="1"} 2\n'
        'b_seconds_bucket{le="+Inf"} 3\n'
        "b_seconds_sum 7.6\n"
        "b_seconds_count 3\n"
        "# HELP c Now.\n"
        "# TYPE c gauge\n"
        "c 1.5\n"
    )


def test_nothing_is_lost_between_threads() -> None:
    counter = Counter("a_total", "Many at once.")
    seconds = Histogram("b", "Many at once.", (1,))

    def count() -> None:
        for _ in range(5000):
            counter.add()
            seconds.observe(0.5)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.value() == seconds.count == 40_000


def test_counting_costs_next_to_nothing() -> None:
    """A few hundred nanoseconds; the bound is for slow machines."""
    counter = Counter("a_total", "How long.")
    seconds = Histogram("b", "How long.", (0.1, 1, 10))
    assert min(timeit.repeat(counter.add, number=10_000)) / 10_000 < 10e-6
    assert min(timeit.repeat(lambda: seconds.observe(0.5), number=10_000)) / 10_000 < 10e-6
