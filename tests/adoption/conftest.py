"""The wheel, built once a run, and a shop of somebody else's into which it is installed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adoption.installation import Shop, build_wheel, copy_sources
from tests.services import services

# The shop has settings and tests of its own, which run in a Python of their own.
collect_ignore = ["shop"]


@pytest.fixture(scope="session")
def sources() -> Path:
    assert services.directory is not None
    return copy_sources(services.directory / "sources")


@pytest.fixture(scope="session")
def wheel(sources: Path) -> Path:
    return build_wheel(sources, sources.parent / "wheel")


@pytest.fixture(scope="session")
def shop(wheel: Path) -> Iterator[Shop]:
    made = Shop(wheel.parent.parent / "shop")
    made.install(wheel)
    yield made
    made.remove()
