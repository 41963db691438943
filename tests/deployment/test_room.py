"""Room for what people send: on the disk, and in the memory of a process."""

import re

import pytest

from marketplace.listings.uploads import MOST_BYTES_AT_ONCE
from tests.deployment import compose
from tests.deployment.test_compose import OURS
from tests.services.places import PROJECT


@pytest.fixture(scope="module")
def described() -> compose.Compose:
    return compose.read()


def test_what_people_send_is_kept_on_the_disk_until_it_is_read(described: compose.Compose) -> None:
    """Memory is small and shared: nobody fills it by sending slowly."""
    conf = (PROJECT / "deploy/nginx/http.conf").read_text()
    paths = re.findall(r"_(?:temp|cache)_path (\S+?)[ ;]", conf)
    assert len(paths) == 6
    volumes = described.services["proxy"]["volumes"]
    [disk] = [volume.split(":")[1] for volume in volumes if volume.startswith("proxy:")]
    assert all(path.startswith(f"{disk}/") for path in paths)
    for name in ("proxy", *OURS):
        assert described.services[name]["tmpfs"] == ["/tmp:size=16m"]


def test_photos_of_everybody_fit_into_a_process(described: compose.Compose) -> None:
    """It holds in memory what it reads: so many forms at once, each of the largest size."""
    upstream = (PROJECT / "deploy/nginx/upstream.conf").read_text()
    [at_once] = set(re.findall(r"max_conns=(\d+)", upstream))
    limit = described.services["web-1"]["deploy"]["resources"]["limits"]["memory"]
    megabytes = int(at_once) * MOST_BYTES_AT_ONCE // 1024**2
    assert megabytes <= int(limit.removesuffix("M")) / 2
