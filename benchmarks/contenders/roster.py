"""Who is measured: ours, and what people use or could use instead."""

from collections.abc import Mapping
from dataclasses import dataclass, field

OURS = "marketplace.asgi:application"
TUTORIAL = "benchmarks.contenders.asgi:application"
BARE = "benchmarks.contenders.bare:application"
EJABBERD = "ejabberd"


@dataclass(frozen=True)
class Contender:
    """`processes`: how many servers share the people, the two of a conversation apart."""

    name: str
    title: str
    application: str
    server: str = "daphne"
    stores: bool = False
    database: str = "postgresql"
    processes: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_ours(self) -> bool:
        return self.application == OURS


def _tutorial(name: str, title: str, server: str = "daphne", **environment: str) -> Contender:
    told = {f"CONTENDERS_{key.upper()}": value for key, value in environment.items()}
    stores = environment.get("consumer") == "keeping"
    return Contender(name, title, TUTORIAL, server, stores, environment=told)


def _ours(
    name: str,
    title: str,
    server: str = "daphne",
    *,
    database: str = "postgresql",
    processes: int = 1,
) -> Contender:
    return Contender(name, title, OURS, server, True, database, processes)


ROSTER = {
    contender.name: contender
    for contender in (
        _tutorial("tutorial", "Channels' tutorial, async consumer, Redis core layer, Daphne"),
        _tutorial("tutorial_sync", "the same with the sync consumer", consumer="sync"),
        _tutorial("tutorial_pubsub", "the same, async, on the pub/sub layer", layer="pubsub"),
        _tutorial(
            "tutorial_best",
            "the best stock set-up: tutorial, pub/sub layer, uvicorn",
            "uvicorn",
            layer="pubsub",
        ),
        _tutorial("naive", "tutorial that stores through the ORM first", consumer="keeping"),
        Contender("bare", "bare ASGI that relays and does nothing else, Daphne", BARE),
        Contender("bare_uvicorn", "the same on uvicorn", BARE, "uvicorn"),
        Contender("ejabberd", "ejabberd with its archive in PostgreSQL", EJABBERD, "its own", True),
        _ours("ours", "Trato on Daphne"),
        _ours("ours_uvicorn", "Trato on uvicorn", "uvicorn"),
        _ours("ours_two", "Trato on Daphne, two web processes", processes=2),
        _ours("ours_vast", "Trato on Daphne, a marketplace that has grown", database="vast"),
        _ours("ours_sqlite", "Trato on Daphne, SQLite", database="sqlite"),
    )
}
