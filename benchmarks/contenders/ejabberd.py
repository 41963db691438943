"""ejabberd with its archive in a PostgreSQL of its own: a messaging server that many people run.

From Debian's packages. Started past its script, which changes to another user and leaves processes
behind; nothing is read or written outside of its folder.
"""

import os
import shutil
import subprocess
from pathlib import Path

import psycopg

from marketplace.development.children import start_child
from tests.services.ports import find_free_port
from tests.services.postgresql import PostgresServer, find_binaries

SCHEMA = Path("/usr/share/ejabberd/sql/pg.sql")
LIBRARIES = "/usr/lib/x86_64-linux-gnu"
DATABASE, HOST, PASSWORD = "ejabberd", "localhost", "secret"
MISSING = "ejabberd is missing, and nobody is compared with it: apt-get install ejabberd brings it."
CONFIGURATION = """
hosts: [localhost]
loglevel: warning
auth_method: sql
auth_password_format: plain
default_db: sql
sql_type: pgsql
sql_server: "127.0.0.1"
sql_port: {database_port}
sql_database: ejabberd
sql_username: postgres
sql_password: ""
sql_pool_size: 10
listen:
  - port: {port}
    ip: "127.0.0.1"
    module: ejabberd_http
    request_handlers:
      /ws: ejabberd_http_ws
modules:
  mod_mam:
    default: always
    db_type: sql
  mod_stream_mgmt: {{}}
"""
PEOPLE = "INSERT INTO users (username, password) SELECT 'p' || n, %s FROM generate_series(0, %s) n"


def is_installed() -> bool:
    return bool(shutil.which("erl")) and SCHEMA.exists()


class OpenPostgres(PostgresServer):
    """Answers at a port of this machine: ejabberd knows no sockets in folders."""

    port = 0

    def url(self, database: str = "postgres") -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def launch(self) -> None:
        self.port = find_free_port()
        settings = ("listen_addresses=127.0.0.1", f"port={self.port}", "unix_socket_directories=..")
        flags = [part for setting in settings for part in ("-c", setting)]
        with (self.directory / "postgresql.log").open("ab") as log:
            self.process = start_child(
                [*self.become, self.binaries / "postgres", "-D", self.data, *flags],
                environment=os.environ,
                directory=self.directory,
                output=log,
            )


class Ejabberd:
    """`people`: p0, p1 … with the same password."""

    def __init__(self, directory: Path, people: int) -> None:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        self.directory, self.people = directory, people
        self.postgres = OpenPostgres(directory / "postgres", find_binaries(), durable=True)
        self.port = find_free_port()

    @property
    def database_url(self) -> str:
        return self.postgres.url(DATABASE)

    def start_database(self) -> None:
        self.postgres.make().start()
        self.postgres.execute(f"CREATE DATABASE {DATABASE}")
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(SCHEMA.read_bytes())
            connection.execute(PEOPLE.encode(), [PASSWORD, self.people - 1])

    def launch(self) -> "subprocess.Popen[bytes]":
        """Without waiting for it to answer."""
        configuration = self.directory / "ejabberd.yml"
        configuration.write_text(
            CONFIGURATION.format(port=self.port, database_port=self.postgres.port)
        )
        environment = {
            **os.environ,
            "HOME": str(self.directory),
            "ERL_LIBS": LIBRARIES,
            "EJABBERD_CONFIG_PATH": str(configuration),
            "EJABBERD_LOG_PATH": str(self.directory / "ejabberd.log"),
        }
        spool = f'"{self.directory}/spool"'  # Erlang reads it: a text in its own marks.
        with (self.directory / "output.log").open("ab") as output:
            return start_child(
                ["erl", "-noinput", "+K", "true", "-mnesia", "dir", spool, "-s", "ejabberd"],
                environment=environment,
                directory=self.directory,
                output=output,
            )
