"""Makes `.venv` from a file of pinned requirements, or finds that it is already made.

Standard library only, because this runs before there is anything else.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

PROJECT = Path(__file__).resolve().parent.parent.parent
FOLDER = PROJECT / ".venv"
PYTHON = FOLDER / "bin" / "python"
STAMP = FOLDER / "made-from.json"
LEAST_VERSION = (3, 11)
IS_TOO_OLD = f"sys.exit(sys.version_info < {LEAST_VERSION})"
# What is installed together with which file: test.txt contains all of dev.txt.
CONTAINED = {"dev": ["dev"], "test": ["dev", "test"]}


def stop(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr)
    raise SystemExit(1)


def ensure(name: str, *, install: bool) -> Path:
    """The Python of an environment with everything in `requirements/<name>.txt`."""
    if is_made(name):
        return PYTHON
    with one_at_a_time():
        if not is_made(name):
            make(name, install=install)
    return PYTHON


def is_made(name: str) -> bool:
    wanted, made = describe(name), read_stamp()
    return PYTHON.exists() and all(made.get(key) == value for key, value in wanted.items())


def describe(name: str) -> dict[str, str]:
    content = (PROJECT / "requirements" / f"{name}.txt").read_bytes()
    return {"place": str(FOLDER), name: hashlib.sha256(content).hexdigest()}


def read_stamp() -> dict[str, str]:
    try:
        stamp: dict[str, str] = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return stamp


@contextmanager
def one_at_a_time() -> Iterator[None]:
    (PROJECT / "var").mkdir(exist_ok=True)
    with (PROJECT / "var" / "environment.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make(name: str, *, install: bool) -> None:
    """Anew, unless it was once made to the end: then only what changed since is installed."""
    print(f"Making .venv from requirements/{name}.txt (once; a minute or so) …", flush=True)
    stamp = read_stamp()
    STAMP.unlink(missing_ok=True)
    if stamp.get("place") != str(FOLDER) or not works():
        make_empty(install=install)
        stamp = {}
    run_pip(name)
    for contained in CONTAINED[name]:
        stamp |= describe(contained)
    STAMP.write_text(json.dumps(stamp))


def works() -> bool:
    """Whether there is an environment with a new enough Python and a pip that runs."""
    check = f"import sys, pip; {IS_TOO_OLD}"
    try:
        return subprocess.run([PYTHON, "-c", check], capture_output=True).returncode == 0
    except OSError:
        return False


def make_empty(*, install: bool) -> None:
    if FOLDER.is_symlink():
        FOLDER.unlink()  # What it leads to is somebody else's, and would be emptied.
    shutil.rmtree(FOLDER, ignore_errors=True)
    command = [find_python(install=install), "-m", "venv", str(FOLDER)]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode:
        stop(f"{' '.join(command)} failed:\n{made.stdout}{made.stderr}")


def find_python(*, install: bool) -> str:
    """A Python that can make environments: this one, else another one on the PATH."""
    if candidate := first_suitable():
        return candidate
    install_packages(
        ["python3-venv"], "Python's own tool for making environments is missing.", install=install
    )
    return first_suitable() or stop("There is still no Python with venv and ensurepip here.")


def first_suitable() -> str | None:
    newer = [shutil.which(f"python3.{minor}") for minor in range(14, LEAST_VERSION[1] - 1, -1)]
    names = [sys.executable, *newer, shutil.which("python3")]
    return next((name for name in names if name and is_suitable(name)), None)


def is_suitable(python: str) -> bool:
    check = f"import sys, venv; from ensurepip import bootstrap; {IS_TOO_OLD}"
    return subprocess.run([python, "-c", check], capture_output=True).returncode == 0


def run_pip(name: str) -> None:
    command = [
        *(str(PYTHON), "-m", "pip", "install", "--quiet", "--no-input", "--require-hashes"),
        *("--disable-pip-version-check", "-r", f"requirements/{name}.txt"),
    ]
    if subprocess.run(command, cwd=PROJECT).returncode:
        stop("pip could not install what is missing (see above). Start again to go on.")


def install_packages(packages: list[str], sentence: str, *, install: bool) -> None:
    """Packages of the system: installed if that was asked for, else the line to type."""
    prefix = [] if os.geteuid() == 0 else ["sudo"]
    command = [*prefix, "apt-get", "install", "-y", "--no-install-recommends", *packages]
    if not install or not shutil.which(command[0]):
        line = " ".join([*prefix, "apt-get", "install", *packages])
        stop(f"{sentence} Type this, then start again:\n  {line}")
    print(" ".join(command), flush=True)
    subprocess.run([*prefix, "apt-get", "update", "-qq"])
    if subprocess.run(command).returncode:
        stop(f"{sentence} Installing it failed (see above).")
