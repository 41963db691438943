"""What this process counts about itself, by name. What each means is in docs/operations.md."""

import time
from collections.abc import Iterable
from typing import Any

from messaging.exceptions import MessagingError
from messaging.metrics_registry import Counter, Gauge, Histogram, Metric

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
DRAFTS = (1, 2, 5, 10, 20, 50, 100, 200, 500)

ACKNOWLEDGED = Counter(
    "messaging_messages_acknowledged_total",
    "Messages stored, and retries of stored ones answered.",
    labels=["result"],
)
REFUSED = Counter(
    "messaging_refusals_total",
    "Requests and frames refused, by error code (rate_limited among them).",
    labels=["door", "code"],
)
COMMIT_SECONDS = Histogram(
    "messaging_commit_seconds", "From a batch's first statement to after its COMMIT.", SECONDS
)
BATCH_DRAFTS = Histogram("messaging_batch_messages", "Messages written by one COMMIT.", DRAFTS)
COMMIT_FAILURES = Counter(
    "messaging_commit_failures_total", "Batches whose transaction failed twice."
)
PUBLISH_FAILURES = Counter(
    "messaging_publish_failures_total", "Pieces that the channel layer did not take in time."
)
EVENTS_DROPPED = Counter(
    "messaging_events_dropped_total", "Events that were not published; readers heal by themselves."
)
GAPS_READ = Counter(
    "messaging_gaps_read_total",
    "Times a connection read from the database what the layer had not brought.",
    labels=["noticed"],
)
CATCH_UP_SECONDS = Histogram(
    "messaging_catch_up_seconds", "Reading and handing over what a connection had missed.", SECONDS
)
SOCKETS_OPENED = Counter("messaging_sockets_opened_total", "Sockets accepted.")
SOCKETS_CLOSED = Counter(
    "messaging_sockets_closed_total", "Accepted sockets that ended, by close code.", labels=["code"]
)
HANDSHAKES_REFUSED = Counter(
    "messaging_handshakes_refused_total", "Sockets refused during the handshake."
)


# Those who know these two say how they are read: heartbeat.py and journals.py.
CONNECTIONS = Gauge("messaging_connections", "Sockets open in this process.", labels=["kind"])
JOURNAL_DEPTH = Gauge(
    "messaging_journal_depth", "Messages taken from sockets and not committed yet."
)

ALL: tuple[Metric, ...] = (
    CONNECTIONS,
    SOCKETS_OPENED,
    SOCKETS_CLOSED,
    HANDSHAKES_REFUSED,
    ACKNOWLEDGED,
    REFUSED,
    COMMIT_SECONDS,
    BATCH_DRAFTS,
    COMMIT_FAILURES,
    JOURNAL_DEPTH,
    PUBLISH_FAILURES,
    EVENTS_DROPPED,
    GAPS_READ,
    CATCH_UP_SECONDS,
)


def note_commit(outcomes: Iterable[Any], began: float) -> None:
    """A batch was committed; each outcome is a receipt or a refusal. `began`: `perf_counter`."""
    receipts = [outcome for outcome in outcomes if not isinstance(outcome, MessagingError)]
    COMMIT_SECONDS.observe(time.perf_counter() - began)
    stored = sum(not receipt.duplicate for receipt in receipts)
    if stored:
        BATCH_DRAFTS.observe(stored)
        ACKNOWLEDGED.add(stored, "stored")
    if len(receipts) > stored:
        ACKNOWLEDGED.add(len(receipts) - stored, "duplicate")
