"""docker-compose.yml and Dockerfile, held to the code without Docker."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from marketplace import ask_health
from tests.deployment import compose, image
from tests.deployment.environment import TOOLS, complete, run, run_manage
from tests.deployment.test_variables import names_in_code
from tests.services.places import PROJECT
from tests.services.ports import find_free_port
from tests.services.postgresql import become_unprivileged, find_binaries

OURS = ("migrate", "web-1", "web-2", "worker", "beat")
ALL = ("database", "redis", *OURS, "proxy")
REQUIRED = sorted(compose.GIVEN)


@pytest.fixture(scope="module")
def described() -> compose.Compose:
    return compose.read()


def test_it_follows_the_specification() -> None:
    """With the schema that the checker brings along: nothing is asked of the network."""
    ran = check_schema(compose.FILE)
    assert ran.returncode == 0, ran.stdout


def test_the_specification_is_looked_at(tmp_path: Path) -> None:
    """Negative control for the test above."""
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(compose.FILE.read_text().replace("healthcheck:", "healthchek:"))
    assert check_schema(wrong).returncode == 1


def check_schema(file: Path) -> subprocess.CompletedProcess[str]:
    schema = ("--builtin-schema", "vendor.compose-spec")
    return run(TOOLS / "check-jsonschema", *schema, file, environment={})


def test_the_dockerfile_has_nothing_to_complain_about(tmp_path: Path) -> None:
    ran = run(TOOLS / "hadolint", "--failure-threshold", "info", image.DOCKERFILE, environment={})
    assert (ran.returncode, ran.stdout) == (0, "")
    wrong = tmp_path / "Dockerfile"
    wrong.write_text("FROM python\nRUN cd /srv\n")
    assert run(TOOLS / "hadolint", wrong, environment={}).returncode == 1


@pytest.mark.parametrize("name", REQUIRED)
def test_what_must_be_set_is_asked_for_in_words(name: str) -> None:
    without = {key: value for key, value in compose.GIVEN.items() if key != name}
    with pytest.raises(compose.NotSet, match=rf"^{name}: Set {name} to|^{name}: Set {name}, from"):
        compose.read(without)


def test_no_secret_has_a_default() -> None:
    lines = compose.FILE.read_text().splitlines()
    secret = re.compile(r"^\s*\w*(?:KEY|PASSWORD|SECRET|TOKEN|URL)\w*: ")
    found = [line for line in lines if secret.match(line)]
    assert len(found) >= 7
    for line in found:
        assert re.search(r"\$\{\w+(?::\?|:-\})", line), line


def test_the_settings_take_what_each_service_is_given(
    described: compose.Compose, tmp_path: Path
) -> None:
    for service in OURS:
        # Everything can be set but what the image decides and what nobody wants out there.
        unwanted = {"DEBUG", "STATIC_DIR", "FAILPOINT", "FAILPOINT_AFTER"}
        assert set(described.environment(service)) == names_in_code() - unwanted, service
    given = described.environment(OURS[0])  # All have the same, as the next test says.
    environment = complete(tmp_path, **{**given, "DATA_DIR": str(tmp_path)})
    ran = run_manage(["check", "--deploy", "--fail-level", "WARNING"], environment)
    assert ran.returncode == 0, ran.stderr


def test_all_of_ours_are_given_the_same(described: compose.Compose) -> None:
    """One that signs with another key, say, would sign everybody out at every second page."""
    first, *others = [described.environment(service) for service in OURS]
    assert all(environment == first for environment in others)


@pytest.mark.parametrize("service", OURS)
def test_the_command_is_one_that_there_is(described: compose.Compose, service: str) -> None:
    program, *arguments = described.command(service)
    if program == "celery":
        assert "celery" in (PROJECT / "requirements" / "runtime.txt").read_text()
        assert arguments[:2] == ["-A", "celery_app"]
        helped = run(TOOLS / "celery", arguments[2], "--help", environment=help_environment())
        expect_options(arguments[3:], helped.stdout)
        return
    assert program == "python"
    if arguments[0] == "manage.py":
        assert (PROJECT / "manage.py").exists()
        helped = run(sys.executable, *arguments[:2], "--help", environment=help_environment())
        return expect_options(arguments[2:], helped.stdout)
    assert arguments[0] == "-m"
    assert importlib.util.find_spec(arguments[1])
    module, _, name = arguments[-1].partition(":")
    assert (PROJECT / f"{module.replace('.', '/')}.py").read_text().count(f"{name} = ")
    helped = run(sys.executable, "-m", arguments[1], "--help", environment=help_environment())
    expect_options(arguments[2:-1], helped.stdout)


def help_environment() -> dict[str, str]:
    return {"DEBUG": "1", "SECRET_KEY": "x", "COLUMNS": "200"}


def expect_options(arguments: list[str], explained: str) -> None:
    for option in (part for part in arguments if part.startswith("-")):
        assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", explained), option


@pytest.mark.parametrize("service", ALL)
def test_nobody_is_root_or_writes_where_they_should_not(
    described: compose.Compose, service: str
) -> None:
    found = described.services[service]
    assert found["user"] not in {"root", "0", "0:0"}
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert found["tmpfs"]
    assert {"cpus", "memory", "pids"} <= set(found["deploy"]["resources"]["limits"])
    assert found["restart"] == ("no" if service == "migrate" else "unless-stopped")
    assert found["healthcheck"]


def test_only_the_proxy_is_reached_from_outside(described: compose.Compose) -> None:
    assert [name for name in ALL if described.services[name].get("ports")] == ["proxy"]
    assert described.content["networks"]["inside"] == {"internal": True}
    for name in ("database", "redis"):
        assert described.services[name]["networks"] == ["inside"]
    assert described.services["proxy"]["networks"] == ["outside"]
    assert set(described.services) == set(ALL)


def test_ports_and_names_fit_together(described: compose.Compose) -> None:
    upstream = (PROJECT / "deploy/nginx/upstream.conf").read_text()
    for service in ("web-1", "web-2"):
        command = described.command(service)
        port = command[command.index("-p") + 1]
        assert f"server {service}:{port} " in upstream
        assert f"EXPOSE {port}" in image.DOCKERFILE.read_text()
    conf = (PROJECT / "deploy/nginx/nginx.conf").read_text()
    inside = [str(port).split(":")[1] for port in described.services["proxy"]["ports"]]
    assert all(f"listen {port}" in conf for port in inside)
    urls = described.environment("web-1")
    assert "@database:5432/trato" in urls["DATABASE_URL"]
    assert "@redis:6379/0" in urls["REDIS_URL"]
    assert described.services["proxy"]["healthcheck"]["test"][-1] == "http://127.0.0.1:8081/"


def test_what_is_mounted_exists_and_every_volume_is_declared(described: compose.Compose) -> None:
    for name in ALL:
        for volume in described.services[name].get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (PROJECT / source).exists(), volume
                assert volume.endswith(":ro")
            elif not source.startswith("/"):
                assert source in described.content["volumes"]


def test_whoever_is_waited_for_exists_and_says_when_it_is_ready(
    described: compose.Compose,
) -> None:
    for name in ALL:
        for other, how in described.services[name].get("depends_on", {}).items():
            awaited = described.services[other]
            if how["condition"] == "service_healthy":
                assert "test" in awaited["healthcheck"], f"{name} waits for {other}"
            else:
                assert (how["condition"], awaited["restart"]) == (
                    "service_completed_successfully",
                    "no",
                )


def test_postgresql_is_told_to_keep_what_it_has_taken(
    described: compose.Compose, tmp_path: Path
) -> None:
    program, *flags = described.command("database")
    assert program == "postgres"
    settings = dict(flag.split("=") for flag in flags if flag != "-c")
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        assert ask_postgres(flags, name, settings) == "on"
    pools = [int(described.environment(name)["DATABASE_POOL_SIZE"]) for name in OURS]
    # Each process has a pool; three connections are kept for administrators.
    assert sum(pools) <= int(settings["max_connections"]) - 3


def ask_postgres(flags: list[str], name: str, settings: dict[str, str]) -> str:
    """The value that this PostgreSQL would start with: it knows all the names."""
    from tests.services import services

    if services.postgres is None:
        return settings[name]
    command: list[str | Path] = [
        find_binaries() / "postgres",
        "-D",
        services.postgres.data,
        *flags,
        "-C",
        name,
    ]
    ran = run(*become_unprivileged(), *command, environment={}, directory=services.postgres.data)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_a_process_that_is_not_there_is_not_well() -> None:
    """What the health checks of the web processes ask; that it says yes is in test_behind_nginx."""
    assert ask_health.main(["live", str(find_free_port())]) == 1


def test_redis_never_evicts_and_asks_for_a_password(described: compose.Compose) -> None:
    conf = (PROJECT / "deploy/redis/redis.conf").read_text()
    assert "\nmaxmemory-policy noeviction\n" in conf
    assert re.search(r"^maxmemory \d+mb$", conf, re.MULTILINE)
    script = described.command("redis")[-1]
    assert "requirepass $REDIS_PASSWORD" in script
    limit = described.services["redis"]["deploy"]["resources"]["limits"]["memory"]
    most = re.search(r"^maxmemory (\d+)mb$", conf, re.MULTILINE)
    assert most
    assert int(most[1]) < int(limit.removesuffix("M"))


def test_the_image_runs_as_nobody_in_particular() -> None:
    last = image.read_last_stage()
    assert [said for name, said in last if name == "USER"] == ["10001:10001"]
    assert all(said.startswith("--from=build") for name, said in last if name == "COPY")
    run_first = [said for name, said in image.read_instructions() if name == "RUN"]
    assert any("--require-hashes" in said for said in run_first)
    assert any(name == "HEALTHCHECK" for name, _ in last)


def test_the_image_starts_what_web_starts(described: compose.Compose) -> None:
    [command] = [said for name, said in image.read_last_stage() if name == "CMD"]
    assert json.loads(command) == described.command("web-1")
    assert image.read_environment()["DATA_DIR"] == described.environment("web-1")["DATA_DIR"]
    places = {"data:/data", f"scratch:{image.read_environment()['TMPDIR']}"}
    assert set(described.services["web-1"]["volumes"]) == places


def test_nothing_but_the_program_goes_into_the_image() -> None:
    for path in (
        ".env",
        ".git/config",
        "var/trato.sqlite3",
        "docs/operations.md",
        "tests/cast.py",
        "messaging/tests/test_access.py",
        "messaging/locale/es/LC_MESSAGES/django.mo",
        "messaging/__pycache__/models.cpython-311.pyc",
    ):
        assert image.is_ignored(path), path
    for path in ("manage.py", "messaging/models.py", "requirements/runtime.txt", "locale/es/x.po"):
        assert not image.is_ignored(path), path
    assert all((PROJECT / source).exists() for source in image.list_copied())


def test_the_image_s_own_steps_make_something_that_starts(
    described: compose.Compose, tmp_path: Path
) -> None:
    tree = image.make(tmp_path)
    assert (tree / "static" / "staticfiles.json").exists()
    assert list(tree.glob("messaging/locale/*/LC_MESSAGES/django.mo"))
    given: dict[str, Any] = {**described.environment("web-1"), "DATA_DIR": str(tmp_path / "data")}
    (tmp_path / "data").mkdir()
    environment = complete(tmp_path, **given, STATIC_DIR=str(tree / "static"))
    ran = run(sys.executable, "manage.py", "check", environment=environment, directory=tree)
    assert ran.returncode == 0, ran.stderr
