"""The phases of a campaign: each nemesis in turn, healing after each, and quiet in between."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.faults.nemeses import NEMESES

# Longer than what is allowed for an aftermath, so that each nemesis is judged by itself.
HEALING_SECONDS = 12.0
# After processes that were stopped for most of a minute, and after everything at once, mails, tabs
# and tasks have as much to catch up with as after several of the others.
LONG_HEALING_SECONDS = 24.0
LEAST_SECONDS = 5.0
# Quiet phases are compared with the others: one for so many nemeses, and half as long as theirs.
NEMESES_PER_CONTROL = 3
CONTROL, ALL_AT_ONCE = 0, 15
LONG_TO_HEAL_FROM = (6, ALL_AT_ONCE)


@dataclass(frozen=True)
class Phase:
    """`nemesis` 0 is the control: nobody is hurt."""

    nemesis: int
    seconds: float
    round: int

    @property
    def name(self) -> str:
        return f"nemesis {self.nemesis}" if self.nemesis else "control"

    @property
    def healing(self) -> float:
        """Seconds in which nothing is hurt and nothing is expected to be quick."""
        if self.nemesis == CONTROL:
            return 0.0
        return LONG_HEALING_SECONDS if self.nemesis in LONG_TO_HEAL_FROM else HEALING_SECONDS


def plan(nemeses: Sequence[int], *, minutes: float, seconds_each: float) -> list[Phase]:
    """As many rounds over all nemeses as fit, each with its share of a time that fills them. With
    less time than one round needs the phases are shorter, and never below `LEAST_SECONDS`."""
    hurting = [number for number in nemeses if number != CONTROL]
    total = minutes * 60
    rounds = max(1, round(total / seconds_of(plan_round(hurting, seconds_each, 0))))
    healing = rounds * sum(phase.healing for phase in plan_round(hurting, 1.0, 0))
    shares = sum(phase.seconds for phase in plan_round(hurting, 1.0, 0))
    each = max(LEAST_SECONDS, (total - healing) / (rounds * shares))
    return [phase for number in range(rounds) for phase in plan_round(hurting, each, number + 1)]


def plan_round(nemeses: Sequence[int], seconds: float, number: int) -> list[Phase]:
    """`seconds`: of a nemesis whose share is 1."""
    return list(_interleave(nemeses, seconds, number))


def _interleave(nemeses: Sequence[int], seconds: float, number: int) -> Iterator[Phase]:
    for position, nemesis in enumerate(nemeses):
        if position % NEMESES_PER_CONTROL == 0:
            yield Phase(CONTROL, seconds / 2, number)
        yield Phase(nemesis, seconds * NEMESES[nemesis].share, number)
    if not nemeses:
        yield Phase(CONTROL, seconds, number)


def seconds_of(phases: Sequence[Phase]) -> float:
    """With the healing after each that hurts."""
    return sum(phase.seconds + phase.healing for phase in phases)
