from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def folders(settings: Settings, tmp_path: Path) -> None:
    """Files of one test only."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PRIVACY_EXPORTS_ROOT = tmp_path / "exports"
