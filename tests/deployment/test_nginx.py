"""The proxy's configurations, by nginx itself."""

from pathlib import Path

import pytest

from tests.deployment.nginx import CONFIGURATION, Nginx

MAIN = ("nginx.conf", "behind-a-balancer.conf", "on-a-machine.conf")


@pytest.mark.parametrize("main", MAIN)
def test_nginx_takes_the_configuration(tmp_path: Path, main: str) -> None:
    said = Nginx(tmp_path / "nginx", [8001, 8002], main).check()
    assert "test is successful" in said
    assert "[emerg]" not in said


def test_it_would_not_take_a_wrong_one(tmp_path: Path) -> None:
    """Negative control for the test above."""
    nginx = Nginx(tmp_path / "nginx", [8001, 8002])
    (nginx.directory / "conf" / "proxy.conf").write_text("proxy_set_heather Host x;")
    with pytest.raises(AssertionError, match="unknown directive"):
        nginx.check()


def test_each_file_is_one_of_these_or_part_of_them() -> None:
    files = {path.name for path in CONFIGURATION.glob("*.conf")}
    text = "".join(path.read_text() for path in CONFIGURATION.glob("*.conf"))
    assert {name for name in files if f"include {name};" not in text} == set(MAIN)
