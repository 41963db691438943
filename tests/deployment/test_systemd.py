"""The units of deploy/systemd/: the commands of docker-compose.yml on a machine without Docker."""

import re
import shlex
import shutil

import pytest

from tests.deployment import compose, image
from tests.deployment.environment import run
from tests.services.places import PROJECT

UNITS = PROJECT / "deploy" / "systemd"
PROGRAMS = "/opt/trato/bin/"
SERVICES = {"trato-web@": "web-1", "trato-worker": "worker", "trato-beat": "beat"}


def read_values(unit: str, name: str) -> list[str]:
    text = (UNITS / f"{unit}.service").read_text()
    return re.findall(rf"^{name}=(.*)$", text, re.MULTILINE)


def read_commands(unit: str) -> list[list[str]]:
    """`%%` is systemd's way to write `%`."""
    lines = [line.replace("%%", "%").split() for line in read_values(unit, "ExecStart")]
    assert all(line[0].startswith(PROGRAMS) for line in lines)
    return [[line[0].removeprefix(PROGRAMS), *line[1:]] for line in lines]


@pytest.mark.parametrize("unit", SERVICES)
def test_a_unit_runs_the_command_of_its_service(unit: str) -> None:
    """The web process only for this machine, on the port that is its instance's name."""
    here = {"0.0.0.0": "127.0.0.1", "8000": "%i"}
    expected = compose.read().command(SERVICES[unit])
    assert read_commands(unit) == [[here.get(part, part) for part in expected]]


def test_a_release_does_what_the_image_and_migrate_do() -> None:
    collect, migrate = read_commands("trato-release")
    assert migrate == compose.read().command("migrate")
    steps = [said for name, said in image.read_instructions() if name == "RUN"]
    assert any(" ".join(collect) in step for step in steps)


@pytest.mark.parametrize("unit", [*SERVICES, "trato-release"])
def test_a_unit_is_nobody_and_writes_to_its_own_folder_only(unit: str) -> None:
    assert read_values(unit, "User") == ["trato"]
    assert read_values(unit, "ProtectSystem") == ["strict"]
    assert read_values(unit, "NoNewPrivileges") == ["yes"]
    assert read_values(unit, "CapabilityBoundingSet") == [""]
    assert read_values(unit, "ReadWritePaths") == []
    assert read_values(unit, "EnvironmentFile") == ["/etc/trato.env"]


def test_the_proxy_runs_what_the_container_does_as_nobody_and_keeps_to_the_disk() -> None:
    """The files of its own machine: 80 and 443, the web units' ports, and the journal."""
    [command] = read_values("trato-proxy", "ExecStart")
    assert shlex.split(command) == [
        *("/usr/sbin/nginx", "-e", "stderr", "-c"),
        "/srv/trato/deploy/nginx/on-a-machine.conf",
        *compose.read().command("proxy")[2:],
    ]
    assert read_values("trato-proxy", "User") == ["www-data"]
    bind = ["CAP_NET_BIND_SERVICE"]
    assert read_values("trato-proxy", "CapabilityBoundingSet") == bind
    assert read_values("trato-proxy", "AmbientCapabilities") == bind
    for name, value in {"PrivateTmp": "yes", "ProtectSystem": "strict"}.items():
        assert read_values("trato-proxy", name) == [value]
    [folder] = read_values("trato-proxy", "RuntimeDirectory")
    text = (PROJECT / "deploy" / "nginx" / "on-a-machine.conf").read_text()
    assert f"pid /run/{folder}/nginx.pid;" in text
    assert "/dev/stdout line" not in text


@pytest.mark.parametrize("unit", [*SERVICES, "trato-release"])
def test_temporary_files_are_on_the_disk(unit: str) -> None:
    """/tmp is memory on many machines; both are the unit's own."""
    assert read_values(unit, "Environment")[-1].endswith(" TMPDIR=/var/tmp")
    assert read_values(unit, "PrivateTmp") == ["yes"]


@pytest.mark.parametrize("unit", SERVICES)
def test_whoever_ends_a_process_waits_as_long_as_the_containers_do(unit: str) -> None:
    described = compose.read().services[SERVICES[unit]]
    if "stop_grace_period" in described:
        waits = read_values(unit, "TimeoutStopSec")
        assert [f"{seconds}s" for seconds in waits] == [described["stop_grace_period"]]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_systemd_understands_the_units() -> None:
    units = sorted(str(path) for path in UNITS.glob("*.service"))
    assert len(units) == len(SERVICES) + 2
    ran = run("systemd-analyze", "verify", *units, environment={"PATH": "/usr/bin:/bin"})
    complaints = [line for line in ran.stderr.splitlines() if line.startswith("trato")]
    # The programs are where the documentation installs them, which is not here.
    assert [line for line in complaints if "is not executable" not in line] == []
