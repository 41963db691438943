"""Notifies everybody who is due in a marketplace that has grown: `python -m
benchmarks.vast_sweeping ROWS` prints rows a second and MiB grown, as JSON."""

import json
import os
import sys
import time

import django

from benchmarks.machine import memory_bytes

WARM = 2000  # Rows before anything is measured.


def main(rows: int) -> None:
    django.setup()
    from notifications.services.notify import notify_due
    from notifications.sources import registered_sources
    from notifications.tasks import BATCH

    (source,) = registered_sources()
    for _ in range(WARM // BATCH):
        notify_due(source=source, limit=BATCH)
    memory, began, done = memory_bytes(os.getpid()), time.perf_counter(), 0
    while done < rows and (found := notify_due(source=source, limit=BATCH)):
        done += found
    seconds = time.perf_counter() - began
    grown = (memory_bytes(os.getpid()) - memory) / 2**20
    print(json.dumps({"rows": done, "rate": done / seconds, "grown": grown}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
