"""Requests nobody should make: each is answered, none fails. For long by `bin/faults fuzz`."""

import logging
import time
from typing import Any

import pytest

from messaging import fields
from tests.model import options
from tests.model.asking import Asker

REQUESTS = 400
SEED = 20_260_101


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.root.manager, "disable", logging.ERROR)


@pytest.mark.django_db(transaction=True)
def test_every_request_gets_an_answer(request: Any) -> None:
    asked = options.read(request.config, "requests")
    asker = Asker(options.read(request.config, "seed", SEED) or SEED)
    began = time.monotonic()
    asker.ask(asked or REQUESTS)
    assert asker.counts["requests"] == (asked or REQUESTS)
    if asked:
        seconds = time.monotonic() - began
        print("\n".join(f"{count:10,} {name}" for name, count in asker.counts.most_common()))
        rate = asker.counts["requests"] / seconds
        print(f"{len(asker.doors)} addresses, {rate:,.0f} requests/s")


@pytest.mark.django_db(transaction=True)
def test_a_failure_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: a number in a query is taken for one without looking."""
    monkeypatch.setattr(fields, "read_number", lambda given, name: int(given[name]))
    with pytest.raises(AssertionError):
        Asker(SEED).ask(REQUESTS)
