"""Which of the bus's channels carries what is for a person.

With one shard, as it is by default, every process hears everything: that is the cheapest while
there are few of them, since what was stored together leaves together. With many, a process hears
what is for the people whom it has connections of, and little else (docs/scaling.md).
"""

import zlib
from collections.abc import Sequence

from messaging import conf
from messaging.events import Event

# Every process hears this one: what is asked of all of them, and everything while there is one
# shard.
BUS_GROUP = "messaging.bus"


def channel_of(group: str) -> str:
    """The channel for one of the hub's groups. A person's are all on the same."""
    count = conf.bus_shards()
    kind, _, person = group.rpartition(".")
    if count == 1 or not kind:
        return BUS_GROUP
    return f"{BUS_GROUP}.{zlib.crc32(person.encode()) % count}"


def split(events: Sequence[Event]) -> dict[str, list[Event]]:
    """The events for each channel that has to carry any. Each comes with those of its groups that
    are there, so that who hears two channels hears nothing twice."""
    if conf.bus_shards() == 1:
        return {BUS_GROUP: list(events)}
    parts: dict[str, list[Event]] = {}
    for event in events:
        groups: dict[str, list[str]] = {}
        for group in event["groups"]:
            groups.setdefault(channel_of(group), []).append(group)
        for channel, there in groups.items():
            parts.setdefault(channel, []).append(Event(**{**event, "groups": there}))
    return parts
