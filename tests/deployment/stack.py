"""The services of docker-compose.yml as processes: its very commands and environments.

What differs is what containers give: names of hosts, ports and folders are those of this machine,
and the tree is the one that the Dockerfile makes (tests/deployment/image.py).
"""

import http.client
import os
import re
import secrets
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

from marketplace.development.children import start_child, stop_children, wait_until
from tests.deployment import compose, image
from tests.deployment.environment import TOOLS, run
from tests.deployment.nginx import Nginx
from tests.services.mails import MailSink
from tests.services.places import PROJECT
from tests.services.ports import find_free_port
from tests.services.redis import find_binary

SECONDS_TO_START = 30
WEB = ("web-1", "web-2")


class Stack:
    """`start` starts everything in the order that `depends_on` gives it."""

    def __init__(self, directory: Path, database_url: str) -> None:
        directory.mkdir()
        (directory / "data").mkdir()
        (directory / "scratch").mkdir()
        self.directory = directory
        self.database_url = database_url
        self.mails = MailSink()
        self.metrics_token = secrets.token_urlsafe(30)
        self.ports = {name: find_free_port() for name in (*WEB, "redis")}
        self.nginx = Nginx(directory / "nginx", [self.ports[name] for name in WEB])
        self.described = compose.read(self.given())
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        """Without a slash at the end; also the origin of the pages."""
        return f"https://localhost:{self.nginx.port}"

    def given(self) -> dict[str, str]:
        """What somebody would write into `.env`."""
        return {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "SITE_URL": self.url,
            "ALLOWED_HOSTS": "localhost",
            "POSTGRES_PASSWORD": secrets.token_hex(32),
            "REDIS_PASSWORD": secrets.token_hex(32),
            "EMAIL_URL": self.mails.url,
            "DEFAULT_FROM_EMAIL": "Market <mail@market.example>",
            "TLS_DIR": str(self.nginx.tls),
            "METRICS_TOKEN": self.metrics_token,
        }

    def environment(self, service: str) -> dict[str, str]:
        """Of the image and of the service, with the addresses of this machine."""
        given = {**image.read_environment(), **self.described.environment(service)}
        given |= {
            "PATH": f"{TOOLS}{os.pathsep}/usr/local/bin:/usr/bin:/bin",
            "HOME": "/nonexistent",
            "DATA_DIR": str(self.directory / "data"),
            "STATIC_DIR": str(self.directory / "srv" / "static"),
            "TMPDIR": str(self.directory / "scratch"),
        }
        if "DATABASE_URL" in given:
            given["DATABASE_URL"] = self.database_url
            redis = f"127.0.0.1:{self.ports['redis']}"
            given["REDIS_URL"] = given["REDIS_URL"].replace("redis:6379", redis)
        return given

    def command(self, service: str) -> list[str]:
        return self.localize(self.described.command(service), service)

    def localize(self, command: list[str], service: str) -> list[str]:
        """Containers have addresses of their own; here only the ports differ."""
        port = str(self.ports.get(service, 0))
        ours = {"0.0.0.0": "127.0.0.1", "8000": port, "redis-server": str(find_binary())}
        return [ours.get(part, part) for part in command]

    def start(self) -> "Stack":
        image.make(self.directory)
        self.mails.start()
        self.start_redis()
        ran = run(
            *self.command("migrate"),
            environment=self.environment("migrate"),
            directory=self.directory / "srv",
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        for name in (*WEB, "worker", "beat"):
            self.launch(name)
        for name in WEB:
            self.wait_until_well(name)
        self.nginx.start(*self.described.command("proxy"))
        return self

    def start_redis(self) -> None:
        """The service's own script, with a port and an address for this machine beside its own."""
        conf = (PROJECT / "deploy" / "redis" / "redis.conf").read_text()
        ours = self.directory / "redis.conf"
        ours.write_text(f"{conf}\nbind 127.0.0.1\nport {self.ports['redis']}\n")
        shell, flag, script = self.described.command("redis")
        script = script.replace("/etc/trato/redis.conf", str(ours))
        script = script.replace("redis-server", str(find_binary()))
        self.launch("redis", [shell, flag, script])
        self.wait_until_well("redis")

    def launch(self, name: str, command: list[str] | None = None) -> None:
        tree = self.directory / "srv"
        with (self.directory / f"{name}.log").open("ab") as log:
            self.processes[name] = start_child(
                command or self.command(name),
                environment=self.environment(name),
                directory=tree,
                output=log,
            )

    def wait_until_well(self, name: str) -> None:
        wait_until(
            lambda: self.is_well(name),
            seconds=SECONDS_TO_START,
            what=f"{name} (see {self.directory}/{name}.log)",
            child=self.processes[name],
        )

    def is_well(self, name: str) -> bool:
        """By the service's own health check."""
        kind, *test = self.described.services[name]["healthcheck"]["test"]
        command = ["sh", "-c", *test] if kind == "CMD-SHELL" else test
        if name in WEB:
            command = [*command, str(self.ports[name])]
        command = [part.replace("redis-cli", self.redis_client()) for part in command]
        ran = run(*command, environment=self.environment(name), directory=self.directory / "srv")
        return ran.returncode == 0

    def redis_client(self) -> str:
        """Debian's; where there is none, a line of Python that does as it does."""
        options = f"-p {self.ports['redis']}"
        if shutil.which("redis-cli"):
            return f"redis-cli {options}"
        code = (
            f"import os, redis; server = redis.Redis(port={self.ports['redis']},"
            " password=os.environ['REDISCLI_AUTH']); print('PONG' if server.ping() else 'no')"
        )
        return f'{sys.executable} -c "{code}"'

    def end(self, name: str) -> int:
        """As `docker compose stop` does, within the service's own time; its exit status."""
        seconds = float(self.described.services[name]["stop_grace_period"].removesuffix("s"))
        process = self.processes[name]
        stop_children([process], seconds=seconds)
        return process.returncode

    def stop(self) -> None:
        self.nginx.stop()
        stop_children(list(self.processes.values()), seconds=10)
        self.mails.stop()

    def manage(self, *arguments: str) -> str:
        """A management command, from the project: the tests' own code is not in the image."""
        ran = run(sys.executable, "manage.py", *arguments, environment=self.environment("web-1"))
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        source: str = "127.0.0.1",
    ) -> "Answer":
        """Through the proxy, over TLS, as somebody at the address `source`."""
        connection = http.client.HTTPSConnection(
            "localhost",
            self.nginx.port,
            timeout=15,
            context=ssl._create_unverified_context(),
            source_address=(source, 0),
        )
        return Answer(connection, method, path, body, headers or {})

    def ask_process(self, name: str, path: str, headers: dict[str, str]) -> "Answer":
        """Past the proxy."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[name], timeout=15)
        return Answer(
            connection, "GET", path, None, {"Host": f"localhost:{self.nginx.port}", **headers}
        )


class Answer:
    """Read to its end."""

    def __init__(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
    ) -> None:
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            self.status = answer.status
            self.headers = answer.headers
            self.text = answer.read().decode(errors="replace")
        finally:
            connection.close()

    @property
    def cookies(self) -> str:
        """For a `Cookie` header."""
        given = self.headers.get_all("Set-Cookie") or []
        return "; ".join(cookie.split(";")[0] for cookie in given)

    @property
    def token(self) -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.text)
        return found[1] if found else ""
