"""`bin/dev`, once there is an environment: prepares, starts everything, waits, ends everything."""

import fcntl
import http.client
import os
import sys
import time
from pathlib import Path
from typing import IO

from marketplace.development import arguments, configuration, ports, preparation, valkey
from marketplace.development.configuration import PROJECT, Places
from marketplace.development.supervisor import Stopped, Supervisor

PEOPLE = (
    ("sol@example.com", "sells"),
    ("ana@example.com", "buys"),
    ("teo@example.com", "buys"),
)
PASSWORD = "trato-demo"  # noqa: S105 (the demo's, refused outside of debug)
READY_TIMEOUT = 2.0


def main() -> None:
    began = time.monotonic()
    options = arguments.parse()
    where = configuration.places(os.environ)
    where.make()
    lock = take_lock(where.lock)
    port = ports.choose(options.host, options.port)
    environment = configuration.complete(os.environ, host=options.host, port=port)
    where.worker_ready.unlink(missing_ok=True)
    supervisor = Supervisor(environment=environment, directory=PROJECT, logs=where.logs)
    try:
        start_everything(supervisor, where, host=options.host, port=port)
        supervisor.watch_until(lambda: is_ready(options.host, port))
        print_welcome(port, seconds=time.monotonic() - began)
        supervisor.watch_until(lambda: False)
    except Stopped as reason:
        if reason.args:
            print(reason, file=sys.stderr)
        sys.exit(1 if reason.args else 0)
    finally:
        supervisor.stop()
        lock.close()


def take_lock(path: Path) -> IO[str]:
    """Held by this process alone, and gone with it however it ends."""
    lock = path.open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit("bin/dev is already running in this folder.")
    return lock


def start_everything(supervisor: Supervisor, where: Places, *, host: str, port: int) -> None:
    if not os.environ.get("REDIS_URL"):
        command = valkey.server_command(valkey.wheel_binary(), socket_path=where.valkey_socket)
        supervisor.start("valkey", command, ends_last=True)
    if steps := preparation.list_needed(supervisor.environment):
        print("Preparing the database, demo data and static files …", flush=True)
        command = [sys.executable, "-m", "marketplace.development.preparation", *steps]
        if supervisor.run_to_end(command):
            raise Stopped("Preparing failed (see above).")
    supervisor.start("web", web_command(host, port))
    supervisor.start(
        "worker", worker_command(), when_it_dies=lambda: where.worker_ready.unlink(missing_ok=True)
    )
    # Before the worker there is nobody to do what beat asks for, and two cores have enough to do.
    supervisor.watch_until(where.worker_ready.exists)
    supervisor.start("beat", beat_command())


def web_command(host: str, port: int) -> list[str]:
    listen = ["--bind", host, "--port", str(port)]
    return [sys.executable, "-m", "messaging.daphne", *listen, "marketplace.asgi:application"]


def worker_command() -> list[str]:
    return [
        *(sys.executable, "-m", "celery", "-A", "celery_app", "worker"),
        *("--pool", "threads", "--concurrency", "4", "--loglevel", "INFO"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
        *("--include", "marketplace.development.worker_ready"),
    ]


def beat_command() -> list[str]:
    """Beat remembers nothing between runs, so that no schedule file can be in the way."""
    return [
        *(sys.executable, "-m", "celery", "-A", "celery_app", "beat"),
        *("--scheduler", "celery.beat:Scheduler", "--loglevel", "INFO"),
    ]


def is_ready(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(reachable(host), port, timeout=READY_TIMEOUT)
    try:
        connection.request("GET", "/health/ready/", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def print_welcome(port: int, *, seconds: float) -> None:
    people = "\n".join(f"    {email:16} {role}" for email, role in PEOPLE)
    print(
        f"\nReady after {seconds:.1f} s.\n\n"
        f"  http://localhost:{port}/\n\n"
        f"  Log in with the password {PASSWORD} as\n{people}\n\n"
        f"  Mails land at http://localhost:{port}/development/mail/\n"
        f"  Ctrl-C ends everything.\n",
        flush=True,
    )


if __name__ == "__main__":
    main()
