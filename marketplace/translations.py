"""Where the translations are, and how they become what Django reads.

`python -m marketplace.translations` compiles them; each release does so once, before its processes
start. It asks for no settings and for no program of the system.
"""

import os
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

PROJECT = Path(__file__).resolve().parent.parent
# The two apps carry their own, so that another marketplace gets them with the package.
APPS = ("messaging", "notifications")
FOLDERS = (PROJECT / "locale", *(PROJECT / app / "locale" for app in APPS))


def list_catalogues() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in folder.glob("*/LC_MESSAGES/django.po"))


def list_compiled() -> list[Path]:
    return [path for path in map(name_compiled, list_catalogues()) if path.exists()]


def name_compiled(catalogue: Path) -> Path:
    """Beside its source: that is where Django looks."""
    return catalogue.with_suffix(".mo")


def compile_changed() -> None:
    for catalogue in list_catalogues():
        if not is_compiled(catalogue):
            compile_catalogue(catalogue)


def is_compiled(catalogue: Path) -> bool:
    """A compiled catalogue bears the time of what it was made from."""
    compiled = name_compiled(catalogue)
    return compiled.exists() and compiled.stat().st_mtime_ns == catalogue.stat().st_mtime_ns


def compile_catalogue(catalogue: Path) -> None:
    """In one step: a process that starts meanwhile reads the old one or the new one."""
    made_from = catalogue.stat()
    unfinished = catalogue.with_suffix(f".{os.getpid()}.mo")
    try:
        with catalogue.open("rb") as source, unfinished.open("wb") as target:
            write_mo(target, read_po(source))
        os.utime(unfinished, ns=(made_from.st_atime_ns, made_from.st_mtime_ns))
        unfinished.replace(name_compiled(catalogue))
    finally:
        unfinished.unlink(missing_ok=True)


if __name__ == "__main__":
    compile_changed()
