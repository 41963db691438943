"""A real nginx with deploy/nginx/, on ports and in a folder of the test's own."""

import re
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from marketplace.development.children import start_child, stop_children, wait_until
from tests.deployment.environment import run
from tests.services.mails import find_free_port
from tests.services.places import PROJECT
from tests.services.postgresql import become_unprivileged

CONFIGURATION = PROJECT / "deploy" / "nginx"
LISTEN = re.compile(r"listen (?:127\.0\.0\.1:)?(\d+)")
MISSING = "NGINX IS MISSING: nothing was tried behind a proxy. apt-get install nginx-light"


def find_nginx() -> str:
    """Skips loudly when there is none."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    return found or pytest.skip(MISSING)


@dataclass
class Nginx:
    directory: Path
    processes: list[int]  # Ports of the web processes.
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.binary = find_nginx()
        self.tls = self.directory / "tls"
        self.log = self.directory / "access.log"
        self.ports = {port: find_free_port() for port in ("8080", "8081", "8443")}
        self.directory.mkdir()
        self.make_certificate()
        self.write_configuration()

    @property
    def port(self) -> int:
        return self.ports["8443"]

    def make_certificate(self) -> None:
        self.tls.mkdir()
        names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
        files = ("-keyout", self.tls / "privkey.pem", "-out", self.tls / "fullchain.pem")
        kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        made = run("openssl", "req", "-x509", "-days", "2", *kind, *names, *files, environment={})
        assert made.returncode == 0, made.stderr

    def write_configuration(self) -> None:
        """As it is deployed, but for ports, folders and where the web processes are."""
        target = self.directory / "conf"
        shutil.copytree(CONFIGURATION, target)
        main = (target / "nginx.conf").read_text()
        main = LISTEN.sub(lambda found: f"listen 127.0.0.1:{self.ports[found[1]]}", main)
        main = re.sub(r"(?<=[ ])/tmp/", f"{self.directory}/", main)
        main = main.replace("/dev/stdout", str(self.log)).replace("/etc/trato-tls", str(self.tls))
        (target / "nginx.conf").write_text(main)
        self.write_upstream()

    def write_upstream(self) -> None:
        """Names that Docker knows become addresses, and what only newer versions know goes."""
        path = self.directory / "conf" / "upstream.conf"
        text = re.sub(r"^resolver .*\n", "", path.read_text(), flags=re.MULTILINE)
        for number, port in enumerate(self.processes, 1):
            text = text.replace(f"web-{number}:8000 resolve", f"127.0.0.1:{port}")
        assert "resolve " not in text
        path.write_text(text)

    def command(self, *arguments: str) -> list[str]:
        """Not as root, as in its container; where that is forbidden, its workers are root too."""
        configuration = str(self.directory / "conf" / "nginx.conf")
        given = [configuration if part == "/etc/trato/nginx.conf" else part for part in arguments]
        become = list(become_unprivileged())
        if become and become[0] != "unshare":
            become, given = [], [*given[:-1], f"{given[-1]} user root;"]
        return [*become, self.binary, "-e", "stderr", "-p", str(self.directory), *given]

    def check(self) -> str:
        command = self.command("-t", "-c", "/etc/trato/nginx.conf", "-g", "daemon off;")
        ran = run(*command, environment={}, directory=self.directory)
        assert ran.returncode == 0, ran.stderr
        return ran.stderr

    def start(self, *arguments: str) -> "Nginx":
        """With the arguments of docker-compose.yml."""
        with (self.directory / "nginx.log").open("ab") as log:
            self.process = start_child(
                self.command(*arguments),
                environment={},
                directory=self.directory,
                output=log,
            )
        wait_until(self.answers, seconds=10, what="nginx", child=self.process)
        return self

    def answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        if self.process is not None:
            stop_children([self.process], seconds=5)
