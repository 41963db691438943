"""A copy is made whatever happens to its worker, and only once at a time."""

import zipfile
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import User
from marketplace.privacy import tasks
from marketplace.privacy.models import DataExport
from marketplace.privacy.services import export as services
from marketplace.privacy.services.archive import write_archive
from marketplace.privacy.services.export import make_export, request_export
from marketplace.privacy.tests.people import read_zip
from messaging.models import Conversation


def files() -> list[Path]:
    root = Path(settings.PRIVACY_EXPORTS_ROOT)
    return sorted(root.iterdir()) if root.exists() else []


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the sweep hands to workers is done where it is handed out."""
    for task in (tasks.export_data, tasks.erase_account):
        monkeypatch.setattr(task, "apply_async", lambda given, task=task, **_: task(*given))


def die_after(count: int) -> Any:
    """A writer that is killed after so many records: nothing of Python's runs after that."""

    def write_some(*given: Any, **options: Any) -> Iterator[int]:
        for done in write_archive(*given, **options):
            yield done
            if done >= count:
                raise KeyboardInterrupt

    return write_some


def test_the_sweep_finds_what_nobody_was_told(buyer: User, at_once: None) -> None:
    export = request_export(user=buyer)
    tasks.find_work()
    export.refresh_from_db()
    assert export.state == "ready"
    assert export.mailed_at


def test_a_killed_worker_is_followed(
    conversation: Conversation, buyer: User, at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = request_export(user=buyer)
    with monkeypatch.context() as patch, time_machine.travel(timezone.now()):
        patch.setattr(services, "write_archive", die_after(2))
        patch.setattr(Path, "unlink", lambda *_, **__: None)  # As after `kill -9`.
        with pytest.raises(KeyboardInterrupt):
            make_export(export_id=export.pk)
    assert [file.suffix for file in files()] == [".part"]
    tasks.find_work()
    export.refresh_from_db()
    assert export.state == "working"  # Its worker may still be alive.
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        tasks.find_work()
    export.refresh_from_db()
    assert (export.state, export.attempts) == ("ready", 2)
    [file] = files()
    assert read_zip(file.read_bytes())["messages"]


def test_a_worker_that_comes_back_too_late_leaves_nothing(
    conversation: Conversation, buyer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = request_export(user=buyer)

    def be_slow(*given: Any, **options: Any) -> Iterator[int]:
        yield from write_archive(*given, **options)
        monkeypatch.setattr(services, "write_archive", write_archive)
        with time_machine.travel(timezone.now() + timedelta(minutes=3)):
            make_export(export_id=export.pk)

    monkeypatch.setattr(services, "write_archive", be_slow)
    make_export(export_id=export.pk)
    export.refresh_from_db()
    assert (export.state, export.attempts) == ("ready", 2)
    assert [file.name for file in files()] == [export.file_name]


def test_progress_is_noted_while_it_is_made(
    conversation: Conversation, buyer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "NOTED_EVERY_RECORDS", 1)
    export, seen = request_export(user=buyer), []

    def watch(*given: Any, **options: Any) -> Iterator[int]:
        for done in write_archive(*given, **options):
            seen.append(DataExport.objects.get(pk=export.pk).percent)
            yield done

    monkeypatch.setattr(services, "write_archive", watch)
    make_export(export_id=export.pk)
    assert seen == [0, 33, 66]
    export.refresh_from_db()
    assert export.percent == 100


def test_what_fails_is_tried_again_and_then_given_up(
    buyer: User, at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = request_export(user=buyer)
    monkeypatch.setattr(services, "count_records", lambda **_: 1 / 0)
    for attempt in range(1, 6):
        with time_machine.travel(timezone.now() + timedelta(hours=attempt)):
            tasks.find_work()
        export.refresh_from_db()
        assert (export.attempts, export.state) == (attempt, "waiting" if attempt < 5 else "failed")
    assert files() == []
    assert request_export(user=buyer) != export


def test_what_kills_every_worker_is_given_up(buyer: User, at_once: None) -> None:
    export = request_export(user=buyer)
    DataExport.objects.filter(pk=export.pk).update(state="working", attempts=5)
    tasks.find_work()
    export.refresh_from_db()
    assert export.state == "failed"
    assert files() == []


def test_a_broker_that_is_down_costs_nothing(
    buyer: User, monkeypatch: pytest.MonkeyPatch, at_once: None
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OperationalError

    export = request_export(user=buyer)
    with monkeypatch.context() as patch:
        patch.setattr(tasks.export_data, "apply_async", refuse)
        tasks.find_work()
    tasks.find_work()
    export.refresh_from_db()
    assert export.state == "ready"


def test_the_command_writes_a_private_file(
    conversation: Conversation, buyer: User, tmp_path: Path
) -> None:
    output = StringIO()
    for _again in range(2):
        call_command("export_person", "ANA@example.com", to=tmp_path / "new", stdout=output)
    path = tmp_path / "new" / f"person-{buyer.pk}.zip"
    assert path.stat().st_mode & 0o777 == 0o600
    assert zipfile.is_zipfile(path)
    assert "3 records" in output.getvalue()
    assert not DataExport.objects.exists()
    with pytest.raises(CommandError, match="no account"):
        call_command("export_person", "nobody@example.com", to=tmp_path)
