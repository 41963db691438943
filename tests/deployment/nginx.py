"""A real nginx with deploy/nginx/, on ports and in a folder of the test's own."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from marketplace.development.children import start_child, stop_children, wait_until
from tests.deployment.environment import run
from tests.services.places import PROJECT
from tests.services.ports import find_free_port, is_listened_to
from tests.services.postgresql import become_unprivileged

CONFIGURATION = PROJECT / "deploy" / "nginx"
LISTEN = re.compile(r"listen (?:127\.0\.0\.1:)?(\d+)")
LISTEN_BY_IPV6 = re.compile(r"^ +listen \[::\].*\n", re.MULTILINE)
MISSING = "NGINX IS MISSING: nothing was tried behind a proxy. apt-get install nginx-light"


def find_nginx() -> str:
    """Skips loudly when there is none."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    return found or pytest.skip(MISSING)


@dataclass
class Nginx:
    directory: Path
    processes: list[int]  # Ports of the web processes.
    main: str = "nginx.conf"
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.binary = find_nginx()
        self.tls = self.directory / "tls"
        self.log = self.directory / "access.log"
        listened = LISTEN.findall((CONFIGURATION / self.main).read_text())
        self.ports = {port: find_free_port() for port in listened}
        self.directory.mkdir()
        self.make_certificate()
        self.write_configuration()

    @property
    def port(self) -> int:
        """Where people come in."""
        return next(self.ports[port] for port in ("8443", "443", "8080") if port in self.ports)

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
        for path in target.glob("*.conf"):
            path.write_text(self.localize(path.read_text()))

    def localize(self, text: str) -> str:
        text = LISTEN_BY_IPV6.sub("", text)
        text = LISTEN.sub(lambda found: f"listen 127.0.0.1:{self.ports.get(found[1], 0)}", text)
        text = re.sub(r"(?<=[ ])(?:/var)?/tmp/|/run/trato-proxy/", f"{self.directory}/", text)
        text = text.replace("/dev/stdout", str(self.log)).replace("/etc/trato-tls", str(self.tls))
        text = text.replace("/dev/log", str(self.directory / "journal"))
        return self.name_processes(text)

    def name_processes(self, text: str) -> str:
        """Names that Docker knows become addresses, and what only newer versions know goes."""
        text = re.sub(r"^resolver .*\n", "", text, flags=re.MULTILINE)
        for number, port in enumerate(self.processes, 1):
            text = text.replace(f"web-{number}:8000 resolve", f"127.0.0.1:{port}")
            text = text.replace(f"127.0.0.1:800{number}", f"127.0.0.1:{port}")
        return text

    def command(self, *arguments: str) -> list[str]:
        """Not as root, as in its container; where that is forbidden, its workers are root too."""
        deployed = re.compile(rf"/etc/trato/{self.main}|/srv/trato/deploy/nginx/{self.main}")
        here = str(self.directory / "conf" / self.main)
        given = [here if deployed.fullmatch(part) else part for part in arguments]
        become = list(become_unprivileged())
        if become and become[0] != "unshare":
            become, given = [], [*given[:-1], f"{given[-1]} user root;"]
        return [*become, self.binary, "-e", "stderr", "-p", str(self.directory), *given]

    def check(self) -> str:
        command = self.command("-t", "-c", f"/etc/trato/{self.main}", "-g", "daemon off;")
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
        is_there = partial(is_listened_to, self.port)
        wait_until(is_there, seconds=10, what="nginx", child=self.process)
        return self

    def stop(self) -> None:
        if self.process is not None:
            stop_children([self.process], seconds=5)
