"""The zip of an export, written as it is read: one record at a time, whatever there is of them."""

import json
import zipfile
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from django.core.files.storage import default_storage
from django.template.loader import render_to_string
from django.utils import timezone, translation

from marketplace.privacy.services.sections import Record, photo_files, read_sections
from messaging.events import iso
from notifications.recipients import language_of

FOLDER = Path(__file__).parent.parent
SCHEMA = FOLDER / "schema.json"
README = "privacy/export_readme.txt"
FORMAT = "trato.export"
VERSION = 1
COPIED_AT_ONCE = 256 * 1024


def write_archive(target: BinaryIO, *, user: Any) -> Generator[int]:
    """Write everything about a person, and say after each record and photo how many records there
    were so far.

    The caller iterates: in between it may stop. Nothing is held but a page of rows.
    """
    done = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        archive.writestr(_entry("README.txt"), _explain(user))
        archive.writestr(_entry("schema.json"), SCHEMA.read_text())
        counts: dict[str, int] = {}
        for name, records in read_sections(user=user).items():
            counts[name] = 0
            for _record in _write_section(archive, name, records):
                counts[name] += 1
                done += 1
                yield done
        for name in photo_files(user=user):
            _copy_photo(archive, name)
            yield done
        archive.writestr(_entry("export.json"), f"{_encode(_manifest(counts))}\n")


def _explain(user: Any) -> str:
    """What the files are, in the language of whoever gets them."""
    with translation.override(language_of(user)):
        return render_to_string(README)


def _manifest(counts: dict[str, int]) -> Record:
    return {
        "format": FORMAT,
        "version": VERSION,
        "created_at": iso(timezone.now()),
        "records": counts,
    }


def _write_section(
    archive: zipfile.ZipFile, name: str, records: Iterable[Record]
) -> Iterator[Record]:
    """A JSON array with one record on each line, so that it can be read line by line, too."""
    with archive.open(_entry(f"{name}.json"), "w", force_zip64=True) as file:
        separator = "[\n"
        for record in records:
            file.write(f"{separator}{_encode(record)}".encode())
            separator = ",\n"
            yield record
        file.write(b"[]\n" if separator == "[\n" else b"\n]\n")


def _entry(name: str, *, packed: bool = True) -> zipfile.ZipInfo:
    """Photos are packed already."""
    entry = zipfile.ZipInfo(name, timezone.now().timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    entry.external_attr = 0o644 << 16
    return entry


def _encode(record: Record) -> str:
    return json.dumps(record, ensure_ascii=False)


def _copy_photo(archive: zipfile.ZipFile, name: str) -> None:
    """As it is kept. One that is missing on the disk costs only itself."""
    try:
        source = default_storage.open(name)
    except FileNotFoundError:
        return
    with source, archive.open(_entry(name, packed=False), "w", force_zip64=True) as file:
        for chunk in source.chunks(COPIED_AT_ONCE):
            file.write(chunk)
