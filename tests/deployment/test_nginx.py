"""The proxy's configuration, by nginx itself."""

from pathlib import Path

import pytest

from tests.deployment.nginx import Nginx


def test_nginx_takes_the_configuration(tmp_path: Path) -> None:
    said = Nginx(tmp_path / "nginx", [8001, 8002]).check()
    assert "test is successful" in said
    assert "[emerg]" not in said


def test_it_would_not_take_a_wrong_one(tmp_path: Path) -> None:
    """Negative control for the test above."""
    nginx = Nginx(tmp_path / "nginx", [8001, 8002])
    (nginx.directory / "conf" / "proxy.conf").write_text("proxy_set_heather Host x;")
    with pytest.raises(AssertionError, match="unknown directive"):
        nginx.check()
