"""What only this marketplace can say to the doctor."""

import pytest
from django.conf import LazySettings
from django.core.checks import WARNING

from marketplace.operating import doctor


@pytest.mark.parametrize(
    ("url", "is_doubtful"),
    [
        ("redis://10.1.2.3:6379/0", True),
        ("rediss://cache.example/0", True),
        ("redis://:a-password@10.1.2.3:6379/0", False),
        ("redis://127.0.0.1:6379/0", False),
        ("redis://[::1]:6379/0", False),
        ("unix:///run/redis.sock", False),
    ],
)
def test_a_redis_elsewhere_without_a_password(
    settings: LazySettings, url: str, is_doubtful: bool
) -> None:
    settings.REDIS_URL = url
    [found] = doctor.ask_redis_password()
    assert (found.level == WARNING) is is_doubtful
    assert "a-password" not in f"{found.msg}{found.hint}"


@pytest.mark.parametrize(("count", "is_doubtful"), [(0, True), (1, False)])
def test_https_without_a_proxy_may_be_meant(
    settings: LazySettings, count: int, is_doubtful: bool
) -> None:
    """A process can speak TLS itself, so this is a warning and no error."""
    settings.SITE_URL = "https://market.example"
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = count
    [found] = doctor.ask_proxy()
    assert (found.level == WARNING) is is_doubtful
