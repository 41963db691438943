"""People spread over several channels of the bus, and a process that hears those it needs."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from messaging import subscriptions
from messaging.events import SESSIONS_GROUP
from messaging.shards import BUS_GROUP, channel_of, split
from messaging.subscriptions import Subscriptions
from messaging.tests.layers import event

SHARDS = 8
PEOPLE = range(100)


@pytest.fixture
def shards(settings: Any) -> int:
    settings.MESSAGING_BUS_SHARDS = SHARDS
    return SHARDS


class Channels:
    """A layer that counts who hears what, and fails when it is told to."""

    def __init__(self) -> None:
        self.heard: Counter[str] = Counter()
        self.failures = 0

    async def group_add(self, group: str, channel: str) -> None:
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise ConnectionError
        self.heard[group] += 1

    async def group_discard(self, group: str, channel: str) -> None:
        await asyncio.sleep(0)
        self.heard[group] -= 1

    def open(self) -> set[str]:
        return {group for group, count in self.heard.items() if count}


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


# --- What goes where ----------------------------------------------------------------------------


def test_with_one_shard_everything_goes_the_same_way() -> None:
    one = event("one", "consumer.1", "seller.2")
    assert split([one]) == {BUS_GROUP: [one]}
    assert {channel_of(f"consumer.{person}") for person in PEOPLE} == {BUS_GROUP}


def test_all_groups_of_a_person_are_on_the_same_channel(shards: int) -> None:
    for person in PEOPLE:
        kinds = ("consumer", "seller", "presence")
        assert len({channel_of(f"{kind}.{person}") for kind in kinds}) == 1


def test_people_are_spread_over_all_channels(shards: int) -> None:
    found = Counter(channel_of(f"consumer.{person}") for person in PEOPLE)
    assert len(found) == shards
    assert max(found.values()) < 3 * len(PEOPLE) / shards


def test_what_is_asked_of_all_goes_where_all_hear_it(shards: int) -> None:
    assert list(split([event("one", SESSIONS_GROUP)])) == [BUS_GROUP]


def test_each_channel_carries_those_of_its_own(shards: int) -> None:
    groups = [f"consumer.{person}" for person in PEOPLE]
    parts = split([event("one", *groups)])
    assert set(parts) == {channel_of(group) for group in groups}
    for channel, [part] in parts.items():
        assert {channel_of(group) for group in part["groups"]} == {channel}
        assert part["text"] == event("one")["text"]
    assert sorted(group for [part] in parts.values() for group in part["groups"]) == sorted(groups)


# --- What is heard ------------------------------------------------------------------------------


async def test_a_channel_is_heard_for_as_long_as_somebody_needs_it() -> None:
    layer, heard = Channels(), Subscriptions()
    await heard.open(layer, "own")
    assert layer.open() == {BUS_GROUP}
    first, second = heard.need("one"), heard.need("one")
    assert not first.is_set()
    await settle()
    assert first.is_set()
    assert second.is_set()
    assert layer.heard["one"] == 1
    heard.release("one")
    await settle()
    assert layer.open() == {BUS_GROUP, "one"}
    heard.release("one")
    await settle()
    assert layer.open() == {BUS_GROUP}


async def test_who_comes_back_at_once_is_heard() -> None:
    """The last change counts, whichever is under way."""
    layer, heard = Channels(), Subscriptions()
    await heard.open(layer, "own")
    for _ in range(5):
        heard.need("one")
        heard.release("one")
        heard.need("one")
        await settle()
        assert layer.open() == {BUS_GROUP, "one"}
        assert layer.heard["one"] == 1
        heard.release("one")
        await settle()
        assert layer.open() == {BUS_GROUP}


async def test_when_the_layer_comes_back_all_that_is_needed_is_heard() -> None:
    heard = Subscriptions()
    one = heard.need("one")
    await settle()
    assert not one.is_set()
    await heard.open(Channels(), "own")
    assert one.is_set()
    heard.close()
    assert not one.is_set()
    heard.need("two")
    heard.need("three")
    heard.release("three")
    again = Channels()
    await heard.open(again, "another")
    assert again.open() == {BUS_GROUP, "one", "two"}


async def test_a_change_that_fails_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "RETRY_SECONDS", 0)
    layer, heard = Channels(), Subscriptions()
    await heard.open(layer, "own")
    layer.failures = 3
    one = heard.need("one")
    await settle()
    assert one.is_set()
    assert layer.open() == {BUS_GROUP, "one"}
