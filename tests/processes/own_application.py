"""A web process with an application of a test's own in it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from marketplace.development.children import start_child, stop_children, wait_until
from tests.deployment.environment import complete
from tests.services.places import PROJECT
from tests.services.ports import find_free_port


@contextmanager
def serve(source: str, folder: Path, *, is_there: Callable[[int], bool]) -> Iterator[int]:
    """The port at which the `application` of this module answers. Asked for `is_there` first."""
    (folder / "own_application.py").write_text(source)
    nowhere = {"DATABASE_URL": "", "REDIS_URL": "", "ALLOWED_HOSTS": "", "SITE_URL": ""}
    environment = complete(folder, DEBUG="1", PYTHONPATH=f"{folder}:{PROJECT}", **nowhere)
    port = find_free_port()
    listen = ["-b", "127.0.0.1", "-p", str(port)]
    with (folder / "web.log").open("wb") as log:
        web = start_child(
            [sys.executable, "-m", "messaging.daphne", *listen, "own_application:application"],
            environment=environment,
            directory=PROJECT,
            output=log,
        )
    try:
        wait_until(lambda: is_there(port), seconds=20, what="a web process", child=web)
        yield port
    finally:
        stop_children([web], seconds=5)
