"""Two marketplaces in two databases of one Redis hear nothing of each other, though Redis hands
what is published to whoever listens, in whatever database."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from marketplace.redis_urls import channel_layers

REDIS: str = settings.CACHES["default"]["LOCATION"]


def make_layer(url: str) -> Any:
    configured = channel_layers(url)["default"]
    return import_string(configured["BACKEND"])(**configured["CONFIG"])


def in_database(number: int) -> str:
    parts = urlsplit(REDIS)
    if parts.scheme == "unix":
        return parts._replace(query=f"db={number}").geturl()
    return parts._replace(path=f"/{number}").geturl()


async def test_what_is_published_stays_in_its_marketplace() -> None:
    here, twin, elsewhere = layers = [make_layer(in_database(number)) for number in (0, 0, 3)]
    channels = [await layer.new_channel() for layer in layers]
    for layer, channel in zip(layers, channels, strict=True):
        await layer.group_add("people", channel)
    await here.group_send("people", {"type": "hello"})
    for layer, channel in ((here, channels[0]), (twin, channels[1])):
        assert await asyncio.wait_for(layer.receive(channel), 5) == {"type": "hello"}
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(elsewhere.receive(channels[2]), 0.3)
    for layer in layers:
        await layer.flush()


@pytest.mark.parametrize(
    ("url", "prefix"),
    [
        ("redis://:secret@redis:6379", "trato"),
        ("redis://:secret@redis:6379/0", "trato"),
        ("rediss://redis:6379/12", "trato.12."),
        ("unix:///run/redis.sock", "trato"),
        ("unix:///run/redis.sock?db=2", "trato.2."),
    ],
)
def test_the_first_database_keeps_the_name_that_it_had(url: str, prefix: str) -> None:
    assert channel_layers(url)["default"]["CONFIG"]["prefix"] == prefix
