"""Messages over sockets: how many a second, at what cost, and how late at a fixed rate."""

import sqlite3
from collections import Counter
from urllib.parse import unquote

from benchmarks.contenders.roster import EJABBERD
from benchmarks.ground import row_of
from benchmarks.load.rooms import Room, Tally, close_rooms, open_rooms
from benchmarks.load.talking import Talked, talk_at_rate, talk_in_turn
from benchmarks.serving import Serving
from benchmarks.taking import Bar, Figure, Measure, Sizes, Taken

# What is stored beyond what has been there before, and conversations whose numbers have a gap.
COUNT_OURS = "SELECT count(*) FROM messaging_message"
GAPS_OURS = """
    SELECT count(*) FROM messaging_conversation c WHERE last_sequence <> (
        SELECT count(*) FROM messaging_message m WHERE m.conversation_id = c.id)
    OR last_sequence <> (
        SELECT max(sequence) FROM messaging_message m WHERE m.conversation_id = c.id)
"""
COUNT_NAIVE = "SELECT count(*) FROM contenders_message"
COUNT_EJABBERD = "SELECT count(*) / 2 FROM archive"  # Everybody has an archive of their own.
# In the order in which they run within a round: those that are compared stand together.
CONTENDERS = (
    *("tutorial", "ours", "bare", "ours_uvicorn", "tutorial_best", "bare_uvicorn"),
    *("ours_two", "ours_sqlite", "tutorial_pubsub", "tutorial_sync", "naive", "ejabberd"),
)


async def take(serving: Serving, sizes: Sizes) -> Taken:
    """Both loads on the same connections, the small one first: what a database has to tidy up after
    a hundred thousand messages is not what a message is late for on a quiet day."""
    tally = Tally()
    before = count_stored(serving)
    rooms = await open_rooms(range(sizes.rooms), serving.door, tally)
    at_rate = await talk_at_rate(
        rooms, rate=sizes.rate, warm_up=sizes.warm_up, seconds=sizes.seconds, watch=serving.watch
    )
    in_turn = await talk_in_turn(
        rooms,
        in_flight=sizes.in_flight,
        warm_up=sizes.warm_up,
        seconds=sizes.seconds,
        watch=serving.watch,
    )
    close_rooms(rooms)
    mistakes = Counter(tally.mistakes) + look_into_store(serving, rooms, before)
    return Taken(figures_of(in_turn, at_rate), in_turn.usage, dict(mistakes))


def figures_of(in_turn: Talked, at_rate: Talked) -> dict[str, float]:
    used, thousands = in_turn.usage.by_name, in_turn.messages / 1000
    return {
        "rate": in_turn.rate,
        "server": used["server"] / thousands,
        "database": used["database"] / thousands,
        "load": used["load"] / in_turn.usage.seconds * 100,
        "p50": at_rate.delay(50),
        "p99": at_rate.delay(99),
    }


def look_into_store(serving: Serving, rooms: list[Room], before: int) -> Counter[str]:
    if not serving.contender.stores:
        return Counter()
    stored = count_stored(serving) - before
    found = Counter({"not stored": abs(stored - rooms[0].tally.sent)})
    if serving.contender.is_ours:
        found["gaps in the store"] = ask(serving, GAPS_OURS)
    return +found


def count_stored(serving: Serving) -> int:
    if not serving.contender.stores:
        return 0
    if serving.contender.application == EJABBERD:
        return ask(serving, COUNT_EJABBERD)
    return ask(serving, COUNT_OURS if serving.contender.is_ours else COUNT_NAIVE)


def ask(serving: Serving, statement: str) -> int:
    url = serving.database_url
    if url.startswith("sqlite:///"):
        with sqlite3.connect(unquote(url.removeprefix("sqlite:///"))) as connection:
            return int(connection.execute(statement).fetchone()[0])
    return int(row_of(url, statement)[0])


SOCKETS = Measure(
    name="sockets",
    title="Messages over sockets, 100 conversations: 200 a second; then 8 in flight in each",
    contenders=CONTENDERS,
    figures=(
        Figure("rate", "messages/s"),
        Figure("server", "server CPU s per 1,000", "{:.3f}"),
        Figure("database", "PostgreSQL CPU s per 1,000", "{:.3f}"),
        Figure("load", "generator's CPU %"),
        Figure("p50", "p50 ms", "{:.1f}"),
        Figure("p99", "p99 ms", "{:.1f}"),
    ),
    bars=(
        Bar("durable messages/s, Daphne, against the tutorial", "rate", "ours", "tutorial", 12, 22),
        Bar("the same under uvicorn", "rate", "ours_uvicorn", "tutorial", 16, 28),
        Bar("against the best stock set-up", "rate", "ours_uvicorn", "tutorial_best", 4.5, 8),
        Bar("against ejabberd with its archive in PostgreSQL", "rate", "ours", "ejabberd", 2.5, 4),
        Bar("against bare ASGI, Daphne", "rate", "ours", "bare", 0.3, 0.5),
        Bar("against bare ASGI, uvicorn", "rate", "ours_uvicorn", "bare_uvicorn", 0.3, 0.5),
        Bar("delivery at 200/s, p50", "p50", "ours", "tutorial", 1.4, 1, at_most=True),
        Bar("delivery at 200/s, p99", "p99", "ours", "tutorial", 1.4, 1, at_most=True),
        Bar("two processes: CPU a message", "server", "ours_two", "ours", 1.15, 1.05, at_most=True),
        Bar("SQLite against PostgreSQL", "rate", "ours_sqlite", "ours", 0.5, 0.95),
    ),
    take=take,
)
