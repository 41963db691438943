"""docs/operations.md is typed by people in a hurry: its commands name what there is."""

import re

from tests.deployment import compose
from tests.deployment.test_systemd import UNITS, read_values
from tests.services.places import PROJECT

PAGE = (PROJECT / "docs" / "operations.md").read_text()
RUNS = re.compile(r"docker compose (?:exec|run)((?: --?[\w-]+(?: tar)?)*) ([\w-]+)")


def test_services_that_it_names_are_there() -> None:
    named = {service for _, service in RUNS.findall(PAGE)}
    assert {"database", "web-1", "migrate", "proxy"} <= named
    assert named <= set(compose.read().services)


def test_units_that_it_names_are_there() -> None:
    named = {name.rstrip("@") for name in re.findall(r"\btrato-(?:web|[a-z]+)@?", PAGE)}
    named -= {"trato-manage", "trato-tls"}
    assert {"trato-web", "trato-proxy"} <= named
    assert named <= {path.stem.rstrip("@") for path in UNITS.glob("*.service")}


def test_whoever_types_into_a_container_without_a_terminal_says_so() -> None:
    """Without `-T`, what is piped through is changed on the way."""
    piped = [
        line for line in PAGE.splitlines() if re.search(r"docker compose (exec|run).*[<>] ", line)
    ]
    assert len(piped) >= 4
    assert all(" -T " in line for line in piped)


def test_commands_have_the_environment_of_the_units() -> None:
    [wrapper] = re.findall(r"^exec systemd-run (.*?) manage\.py", PAGE, re.MULTILINE | re.DOTALL)
    for pair in read_values("trato-worker", "Environment")[-1].split():
        assert f"--setenv={pair}" in wrapper
    for name in ("User", "Group"):
        assert f"--{name[0].lower()}id={read_values('trato-worker', name)[0]}" in wrapper
    assert f"EnvironmentFile={read_values('trato-worker', 'EnvironmentFile')[0]}" in wrapper


def test_secrets_are_never_written_for_all_to_read() -> None:
    for block in re.findall(r"```\n(.*?)```", PAGE, re.DOTALL):
        if "> .env" in block or "> trato.dump" in block:
            assert "umask 077" in block.partition(">")[0]


def test_the_sums_are_those_of_the_files() -> None:
    site = (PROJECT / "deploy" / "nginx" / "site.conf").read_text()
    upstream = (PROJECT / "deploy" / "nginx" / "upstream.conf").read_text()
    [size] = re.findall(r"client_max_body_size (\d+)m;", site)
    [everybody] = re.findall(r"limit_conn photos_of_all (\d+);", site)
    [one] = re.findall(r"limit_conn photos_of_one (\d+);", site)
    [at_once] = set(re.findall(r"max_conns=(\d+);", upstream))
    assert f"{one} at once from an address and {everybody} in all" in PAGE
    assert f"{everybody} × {size} MB" in PAGE
    assert f"{at_once} × {size} MB" in PAGE
    assert f"{at_once} × 3 × {size} MB" in PAGE
