"""What `bin/dev` is made of, piece by piece."""

import os
import socket
from pathlib import Path

import pytest

from marketplace.development import arguments, configuration, ports, virtual_environment
from marketplace.development.logs import LogFollower, say
from tests.services.places import reachable


def test_a_person_s_own_environment_wins(tmp_path: Path) -> None:
    given = {"DATA_DIR": str(tmp_path), "REDIS_URL": "redis://other", "SECRET_KEY": "mine"}
    made = configuration.complete(given, host="127.0.0.1", port=8000)
    assert (made["REDIS_URL"], made["SECRET_KEY"]) == ("redis://other", "mine")
    assert made["ALLOWED_ORIGINS"] == "http://127.0.0.1:8000,http://localhost:8000"
    assert made["SITE_URL"] == "http://localhost:8000"


def test_another_host_is_allowed_as_well(tmp_path: Path) -> None:
    made = configuration.complete({"DATA_DIR": str(tmp_path)}, host="192.0.2.7", port=80)
    assert "http://192.0.2.7:80" in made["ALLOWED_ORIGINS"].split(",")
    assert "192.0.2.7" in made["ALLOWED_HOSTS"].split(",")


def test_the_secret_key_stays_the_same(tmp_path: Path) -> None:
    first = configuration.secret_key(tmp_path / "key")
    assert len(first) >= 50
    assert configuration.secret_key(tmp_path / "key") == first


def test_without_a_port_the_next_free_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(ports, "PREFERRED", range(port, port + 20))
        assert ports.choose("127.0.0.1", None) > port


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "²"])
def test_what_is_not_a_port_is_refused(port: str) -> None:
    with pytest.raises(SystemExit):
        arguments.parse([f"--port={port}"])


def test_warnings_and_whole_tracebacks_are_shown(tmp_path: Path) -> None:
    log = LogFollower(tmp_path / "web.log")
    log.start_anew()
    trouble = [
        "2026-11-20 WARNING slow",
        "Traceback (most recent call last):",
        '  File "views.py", line 1, in page',
        "ValueError: no",
    ]
    log.path.write_text("\n".join(["INFO fine", *trouble, "INFO fine again", "half a li"]))
    assert log.read_trouble() == trouble
    with log.path.open("a") as file:
        file.write("ne with an ERROR\n")
    assert log.read_trouble() == ["half a line with an ERROR"]


def test_sockets_are_within_reach_of_a_long_path(tmp_path: Path) -> None:
    deep = tmp_path / ("a-long-name-" * 12)
    deep.mkdir()
    path = str(reachable(deep) / "a.sock")
    assert len(path) <= 107
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(path)
        server.listen()
        client.connect(path)
    assert (deep / "a.sock").exists()


def test_output_that_nobody_reads_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb"), os.fdopen(writing, "w") as unread:
        monkeypatch.setattr("sys.stdout", unread)
        for _ in range(100):
            say("x" * 3000)


def test_an_environment_that_is_a_link_is_not_emptied_where_it_leads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others, folder = tmp_path / "others", tmp_path / ".venv"
    others.mkdir()
    (others / "kept").touch()
    folder.symlink_to(others)
    monkeypatch.setattr(virtual_environment, "FOLDER", folder)
    monkeypatch.setattr(virtual_environment, "find_python", lambda install: "true")
    virtual_environment.make_empty(install=False)
    assert not folder.exists()
    assert (others / "kept").exists()
