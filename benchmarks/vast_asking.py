"""Asks a marketplace that has grown: `python -m benchmarks.vast_asking SELLER` prints how many ms
each question takes, as JSON. In a process of the marketplace's own settings."""

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from accounts.models import User

TIMES = 7
RARE, COMMON, ABSENT, NAME = "rhubarb", "armchair", "zeppelin", "buyer 777"


def main(seller: int) -> None:
    django.setup()
    from accounts.models import User

    questions = make_questions(User.objects.get(pk=seller))
    print(json.dumps({name: measure(ask) for name, ask in questions.items()}))


def make_questions(seller: "User") -> dict[str, Callable[[], Any]]:
    from messaging.selectors.conversations import (
        count_unread_conversations,
        count_waiting_conversations,
    )
    from messaging.selectors.inbox import page_conversations, read_filters

    def page(**query: str) -> Callable[[], Any]:
        return lambda: page_conversations(user=seller, filters=read_filters(query))

    return {
        "unread": lambda: count_unread_conversations(seller),
        "waiting": lambda: count_waiting_conversations(seller),
        "needs_reply": page(state="needs_reply"),
        "rare": page(q=RARE),
        "common": page(q=COMMON),
        "absent": page(q=ABSENT),
        "name": page(q=NAME),
    }


def measure(ask: Callable[[], Any]) -> float:
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        ask()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


if __name__ == "__main__":
    main(int(sys.argv[1]))
