"""How little the other project had to change: what stands between its marks."""

from pathlib import Path

import pytest

from tests.adoption.installation import HOST

MOST_LINES = 20


def marked_lines(path: Path) -> list[str]:
    """Code between `# trato` and `# end`, without comments and empty lines."""
    found, inside = [], False
    for line in map(str.strip, path.read_text().splitlines()):
        if line in ("# trato", "# end"):
            inside = line == "# trato"
        elif inside and line and not line.startswith("#"):
            found.append(line)
    assert not inside, f"{path} has a mark without an end"
    return found


def modules() -> list[Path]:
    found = sorted(HOST.rglob("*.py"))
    return [path for path in found if path.parent.name != "tests" and path.name != "conftest.py"]


def test_adopting_takes_few_lines() -> None:
    marked = {path: lines for path in modules() if (lines := marked_lines(path))}
    assert {path.name for path in marked} == {"settings.py", "urls.py", "asgi.py", "views.py"}
    assert sum(map(len, marked.values())) <= MOST_LINES


@pytest.mark.parametrize("name", ["settings.py", "urls.py", "asgi.py", "celery.py", "models.py"])
def test_nothing_outside_of_the_marks_knows_of_it(name: str) -> None:
    [*paths] = HOST.rglob(name)
    assert paths
    for path in paths:
        outside = [line.strip() for line in path.read_text().splitlines()]
        for line in marked_lines(path):
            outside.remove(line)
        for word in ("messaging.", "notifications.", "MESSAGING_", "NOTIFICATIONS_", "CHANNEL_"):
            assert not any(word in line for line in outside), f"{word} in {path}"
