"""What the Dockerfile puts into the image, made in a folder: the same files and the same steps.

There is no Docker in the tests. Whatever COPY and .dockerignore leave out is missing here too.
"""

import os
import re
import shlex
import shutil
from pathlib import Path

from tests.deployment.environment import TOOLS, run
from tests.services.places import PROJECT

DOCKERFILE = PROJECT / "Dockerfile"
IGNORED = PROJECT / ".dockerignore"


def read_instructions() -> list[tuple[str, str]]:
    """`("COPY", "manage.py celery_app.py ./")`, continued lines joined."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE)
    lines = [line.strip() for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines]


def read_last_stage() -> list[tuple[str, str]]:
    instructions = read_instructions()
    starts = [number for number, (name, _) in enumerate(instructions) if name == "FROM"]
    return instructions[starts[-1] :]


def read_environment() -> dict[str, str]:
    """What ENV sets in the image."""
    pairs = [shlex.split(said) for name, said in read_last_stage() if name == "ENV"]
    return dict(pair.split("=", 1) for line in pairs for pair in line)


def list_copied() -> list[str]:
    """What COPY takes from the project."""
    copies = [said.split() for name, said in read_instructions() if name == "COPY"]
    return [source for parts in copies if not parts[0].startswith("--") for source in parts[:-1]]


def is_ignored(path: str) -> bool:
    """By .dockerignore: the last line that matches the path or a folder above it decides."""
    ignored = False
    for line in IGNORED.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = re.escape(line.lstrip("!")).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
        pattern = re.sub(r"\\\[(\w+)\\\]", r"[\1]", pattern)
        if re.fullmatch(f"{pattern}(?:/.*)?", path):
            ignored = not line.startswith("!")
    return ignored


def make(directory: Path) -> Path:
    """The image's /srv/trato in `directory`, built by the Dockerfile's own steps."""
    tree = directory / "srv"
    for source in list_copied():
        if (PROJECT / source).is_dir():
            shutil.copytree(PROJECT / source, tree / source, ignore=leave_out)
        elif source != "requirements/runtime.txt":
            tree.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / source, tree / source)
    build(tree, directory)
    return tree


def leave_out(folder: str, names: list[str]) -> set[str]:
    inside = Path(folder).relative_to(PROJECT)
    return {name for name in names if is_ignored(str(inside / name))}


def build(tree: Path, directory: Path) -> None:
    """The steps of the RUN that makes translations and static files, but for the last."""
    [steps] = [
        said for name, said in read_instructions() if name == "RUN" and "-m marketplace" in said
    ]
    kept = [step for step in steps.split("&&") if "compileall" not in step]
    script = "&&".join(kept).replace("/tmp/data", str(directory / "building"))
    environment = {
        "PATH": f"{TOOLS}{os.pathsep}/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "STATIC_DIR": str(tree / "static"),
    }
    ran = run("sh", "-ec", script, environment=environment, directory=tree)
    assert ran.returncode == 0, ran.stdout + ran.stderr
