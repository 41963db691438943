"""A warmed Django process that forks a child for each operation (`python -m` this module).

It has read all code and made no thread, no event loop and no connection, so that a child costs
milliseconds and begins as a process of its own would. One JSON object a line in, one out:

    {"act": "post", "arguments": {…}, "place": "bus.sending", "after": 1}
    {"status": 137, "reports": [{…}, …]}

`reports` is what the child wrote before it ended, as an answer that had left the process.
"""

import contextlib
import gc
import importlib
import json
import os
import signal
import sys
import traceback
from typing import Any

LONGEST_SECONDS = 60
READ = "modules that were read"


def main() -> None:
    from tests.faults.dying import acts

    acts.warm()
    print(json.dumps({"status": 0, "reports": []}), flush=True)
    for line in sys.stdin:
        print(json.dumps(run(acts.ACTS, json.loads(line))), flush=True)


def run(acts: dict[str, Any], order: dict[str, Any]) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        live_and_die(acts, order, writing)
    os.close(writing)
    with os.fdopen(reading) as written:
        reports = [json.loads(line) for line in written]
    _, status = os.waitpid(child, 0)
    learn(reports.pop()[READ] if reports and READ in reports[-1] else [])
    return {"status": os.waitstatus_to_exitcode(status), "reports": reports}


def learn(modules: list[str]) -> None:
    """What one child had to read, the next ones find read."""
    for name in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()  # Looking through what it shares with its parent would copy it.


def live_and_die(acts: dict[str, Any], order: dict[str, Any], writing: int) -> None:
    """In the child, which never returns: what it inherited is not its to tidy up."""
    from notifications import failpoints

    signal.alarm(LONGEST_SECONDS)

    def report(**fields: Any) -> None:
        os.write(writing, json.dumps(fields).encode() + b"\n")

    def arm() -> None:
        if order.get("place"):
            failpoints.arm(order["place"], after=order.get("after", 1))

    known = set(sys.modules)
    try:
        acts[order["act"]](report, arm, **order["arguments"])
        report(**{READ: [name for name in sys.modules if name not in known]})
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


if __name__ == "__main__":
    main()
