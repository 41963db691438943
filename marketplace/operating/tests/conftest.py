import logging
from collections.abc import Iterator

import pytest

from marketplace.logs import JsonFormatter
from marketplace.operating.tests.lines import Lines


@pytest.fixture
def written() -> Iterator[Lines]:
    """All that goes to the log of this process."""
    lines = Lines(JsonFormatter())
    logging.getLogger().addHandler(lines)
    yield lines
    logging.getLogger().removeHandler(lines)
