"""Bugs planted on purpose in the real processes, to see that the checker catches each of them.

`web.py` and `work.py` are what the processes are told to run instead of the marketplace's own
modules. Only they read `PLANTED_BUG`; nothing in the product knows of it.
"""

import importlib
import os
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any

NAME = "PLANTED_BUG"
SUBJECTS = (
    *("storing", "delivering", "telling", "mailing", "rights", "lying"),
    *("forgetting", "enduring", "handing"),
)


@dataclass(frozen=True)
class Bug:
    """`invariants`: any of them may catch it. `often`: operations without many of which it does not
    show. `nemesis`: under which it shows, in `seconds` at least. `waits`: seconds that the mails
    are waited for at the end."""

    name: str
    what: str
    invariants: tuple[str, ...]
    plant: Callable[[], None]
    often: tuple[str, ...]
    nemesis: int
    waits: float
    seconds: float = 0.0


BUGS: dict[str, Bug] = {}


def bug(
    what: str,
    *invariants: str,
    often: tuple[str, ...] = (),
    nemesis: int = 0,
    waits: float = 0.0,
    seconds: float = 0.0,
) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def note(plant: Callable[[], None]) -> Callable[[], None]:
        name = plant.__name__
        BUGS[name] = Bug(name, what, invariants, plant, often, nemesis, waits, seconds)
        return plant

    return note


def plant_chosen() -> None:
    """What the environment asks for, if anything."""
    load()
    name = os.environ.get(NAME)
    if name:
        BUGS[name].plant()


def load() -> None:
    for subject in SUBJECTS:
        importlib.import_module(f"tests.faults.planted.{subject}")


def sometimes(share: float) -> bool:
    return random.random() < share


def replace(original: Any, wrap: Callable[[Any], Any]) -> None:
    """A function of a module, wherever it has been imported to."""
    wrapped, found = wrap(original), False
    check_fit(original, wrapped)
    for name, module in list(sys.modules.items()):
        if not name.startswith(("messaging", "notifications", "marketplace")):
            continue
        for attribute, value in list(vars(module).items()):
            if value is original:
                setattr(module, attribute, wrapped)
                found = True
    assert found, original


def replace_method(owner: type, name: str, wrap: Callable[[Any], Any]) -> None:
    """A method of a class; `wrap` gets it as a plain function."""
    assert name in vars(owner), (owner, name)
    original = vars(owner)[name]
    wrapped = wrap(original)
    check_fit(original, wrapped)
    setattr(owner, name, wrapped)


def check_fit(original: Any, wrapped: Any) -> None:
    """It has to take whatever the product gives, or it is another bug than what is meant."""
    if not callable(original):
        return
    parameters = signature(original).parameters.values()
    named = {each.name: None for each in parameters if each.kind is Parameter.KEYWORD_ONLY}
    kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    signature(wrapped).bind(*(None for each in parameters if each.kind in kinds), **named)
    wrapped.__signature__ = signature(original)  # For the next that is planted there.
