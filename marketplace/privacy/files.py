"""Where copies of people's data lie: outside of everything that is served, readable by this
process's account only."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from marketplace.privacy import conf

UNFINISHED = ".part"
# Left free on the disk for everything else: a database that finds it full stops.
KEPT_FREE = 512 * 1024 * 1024  # bytes


def make_name() -> str:
    return f"{token_hex(24)}.zip"


def path_of(name: str) -> Path:
    return conf.exports_root() / name


def has_room() -> bool:
    """Whether copies may still be made, however large the next one is."""
    root = conf.exports_root()
    nearest = next(folder for folder in (root, *root.parents) if folder.is_dir())
    return shutil.disk_usage(nearest).free > KEPT_FREE


@contextmanager
def create_private(path: Path) -> Iterator[BinaryIO]:
    """A new file of mode 0600, which gets its name only when all of it is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_name(path.name + UNFINISHED)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def remove(name: str) -> None:
    if name:
        path = path_of(name)
        path.unlink(missing_ok=True)
        path.with_name(path.name + UNFINISHED).unlink(missing_ok=True)


def list_names() -> Iterator[tuple[str, float]]:
    """Every file there is: its name, without the mark of an unfinished one, and its age's start
    in seconds since 1970."""
    root = conf.exports_root()
    if not root.is_dir():
        return
    for path in root.iterdir():
        yield path.name.removesuffix(UNFINISHED), path.stat().st_mtime
