"""Judges a run: its history and what there was at the end, never the logs of the servers.

Each check is one invariant or a part of it, with its definition as docstring. `PROMISES` says which
of the seven promises of docs/protocol.md an invariant is there for.
"""

from pathlib import Path
from typing import Any, Final

from tests.faults.checker.answered import Refused, Sockets
from tests.faults.checker.answering import Served
from tests.faults.checker.audience import Audience
from tests.faults.checker.closing import Closed
from tests.faults.checker.company import Company
from tests.faults.checker.delivered import Delivered
from tests.faults.checker.frames import Shown
from tests.faults.checker.in_time import InTime
from tests.faults.checker.inboxes import Inboxes, Presence, ReadMarks
from tests.faults.checker.kept import Kept
from tests.faults.checker.known import Known
from tests.faults.checker.mailed import Mailed
from tests.faults.checker.mailed_in_time import MailedInTime
from tests.faults.checker.not_allowed import NotAllowed
from tests.faults.checker.once import Once
from tests.faults.checker.read_back import ReadPositions, ReadYourWrites
from tests.faults.checker.read_frames import ReadFrames
from tests.faults.checker.reading import Reading
from tests.faults.checker.recovering import Returned
from tests.faults.checker.resources import Resources
from tests.faults.checker.rights import Ended
from tests.faults.checker.running import (
    CONTROL_P99_SECONDS,
    Available,
    Files,
    Quick,
    Recovered,
)
from tests.faults.checker.stored import Acknowledged, InOrder
from tests.faults.checker.taking_part import Left
from tests.faults.checker.told import Notified, ReadMail
from tests.faults.checker.unwanted import Unwanted
from tests.faults.checker.verdicts import Tally, Verdict, find_lacking, join_tallies, shown
from tests.faults.final_state import FinalState

# Those of one invariant stand together, the one that says whose promise it is first.
CHECKS: Final = (
    *(Acknowledged, Kept, Once, Refused, InOrder, Delivered, InTime, Shown, Presence),
    *(ReadYourWrites, ReadPositions, ReadFrames, ReadMarks, Inboxes),
    *(Notified, Unwanted, Mailed, MailedInTime, ReadMail),
    *(Ended, NotAllowed, Left, Audience, Company, Files, Resources),
    *(Available, Served, Recovered, Returned, Quick, Closed, Sockets),
)
# What a machine that does something else besides is some excuse for.
BUSY_CHECKS: Final = (Available, Served, Closed, Sockets, MailedInTime, Returned)
PROMISES: Final = {
    "I1": (1, 7),
    "I2": (2,),
    "I3": (3,),
    "I4": (3, 4),
    "I5": (1, 3),
    "I6": (4,),
    "I7": (),
    "I8": (),
    "I9": (),
    "I10": (5,),
    "I11": (5,),
    "I12": (),
    "I13": (6,),
    "I14": (7,),
}


def judge(
    history: Path,
    final: FinalState,
    *,
    also: list[Any] | None = None,
    control_p99: float | None = CONTROL_P99_SECONDS,
    is_busy: bool = False,
) -> list[Verdict]:
    """One verdict for each invariant, I1 … I14. `also` listens to the same pass over the history,
    like a check. `control_p99`: None where nothing is asked of speed, which is no part of I14 then.
    `is_busy`: whether the machine did something else besides, so that a few answers may not have
    come in time."""
    known = Known(final)
    more: dict[Any, dict[str, Any]] = {
        **{check: {"is_busy": is_busy} for check in BUSY_CHECKS},
        Quick: {"control_p99": control_p99},
    }
    asked = [check for check in CHECKS if check is not Quick or control_p99 is not None]
    checks: list[Any] = [check(known, **more.get(check, {})) for check in asked]
    heard = [known, known.standing, known.touches, known.sightings, known.closes]
    Reading([*heard, *checks, *(also or [])]).read(history)
    for check in checks:
        check.finish()
    tallies = [tally for check in checks for tally in list_tallies(check)]
    return [
        join_tallies([tally for tally in tallies if tally.invariant == invariant])
        for invariant in PROMISES
    ]


def list_tallies(check: Any) -> list[Tally]:
    """A check counts in one, or in several parts."""
    return getattr(check, "tallies", None) or [check.tally]


def describe(invariant: str) -> str:
    """The definition of an invariant, as the docstrings of its checks have it."""
    texts = [check.__doc__ or "" for check in CHECKS]
    found = [text for text in texts if text.startswith((f"{invariant}:", f"{invariant} "))]
    if not found:
        raise LookupError(invariant)
    more = [text.partition(": ")[2] for text in found[1:]]
    return "\n\n".join(text.strip() for text in (found[0], *more))


__all__ = ["CHECKS", "PROMISES", "Verdict", "describe", "find_lacking", "judge", "shown"]
