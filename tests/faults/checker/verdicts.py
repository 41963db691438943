"""What is said about each invariant after a run."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice, zip_longest

MOST_EXAMPLES = 8
ALWAYS_SPARED = ("I12",)


@dataclass(frozen=True)
class Verdict:
    """`checked` counts the facts that were compared. With none of them nothing was shown: such a
    verdict is “not checked” and never counts as passed, nor does one of which a part was not.
    `note` says what a reader should know; `parts`: how many of the facts each part of the invariant
    had, 0 for one that was not checked; `broken_parts`: how many violations, of those that have
    any. `misdelivered`: how many of the violations are that somebody was shown what they had no
    right to.
    """

    invariant: str
    holds: bool
    checked: int
    examples: list[str] = field(default_factory=list)
    violations: int = 0
    note: str = ""
    parts: tuple[tuple[str, int], ...] = ()
    broken_parts: tuple[tuple[str, int], ...] = ()
    misdelivered: int = 0

    @property
    def passed(self) -> bool:
        return self.holds and not self.lacking

    @property
    def word(self) -> str:
        if not self.holds:
            return "broken"
        if not self.checked:
            return "not checked"
        return "holds" if not self.unchecked else "in part"

    @property
    def unchecked(self) -> list[str]:
        """The parts of it of which nothing was shown."""
        return [name for name, checked in self.parts if not checked] if self.checked else []

    @property
    def lacking(self) -> list[str]:
        """The same, or itself if nothing of it was shown, as `shown` takes them."""
        if not self.checked:
            return [self.invariant]
        return [f"{self.invariant} {name}" for name in self.unchecked]

    @property
    def described_parts(self) -> list[str]:
        """Each part as a report has it, with its violations if there are any."""
        broken = dict(self.broken_parts)
        return [
            f"{name} {checked:,}" + (f" ({broken[name]:,} broken)" if name in broken else "")
            for name, checked in self.parts
        ]


@dataclass
class Tally:
    """Counts while a run is read; the first few violations are kept as they would be told. `part`
    names what it counts, where an invariant has several."""

    invariant: str
    part: str = ""
    checked: int = 0
    violations: int = 0
    misdelivered: int = 0
    examples: list[str] = field(default_factory=list)
    note: str = ""

    def expect(self, holds: bool, example: str) -> None:
        """One fact. Say in `example` what is wrong; an f-string for each would cost minutes, so
        hot paths call `count` and `break_` themselves."""
        self.checked += 1
        if not holds:
            self.break_(example)

    def count(self, facts: int = 1) -> None:
        self.checked += facts

    def break_(self, example: str, *, misdelivers: bool = False) -> None:
        """`misdelivers`: whether somebody was shown what they had no right to."""
        self.violations += 1
        self.misdelivered += misdelivers
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(example)


def join_tallies(tallies: Sequence[Tally]) -> Verdict:
    """Of all parts of one invariant."""
    several = len(tallies) > 1
    return Verdict(
        invariant=tallies[0].invariant,
        holds=not any(tally.violations for tally in tallies),
        checked=sum(tally.checked for tally in tallies),
        examples=list(islice(take_in_turn(tallies), MOST_EXAMPLES)),
        violations=sum(tally.violations for tally in tallies),
        note="; ".join(tally.note for tally in tallies if tally.note),
        parts=tuple((tally.part, tally.checked) for tally in tallies) if several else (),
        broken_parts=tuple(
            (tally.part, tally.violations) for tally in tallies if several and tally.violations
        ),
        misdelivered=sum(tally.misdelivered for tally in tallies),
    )


def take_in_turn(tallies: Sequence[Tally]) -> Iterable[str]:
    """One example of each part, then a second one of each: one that has many hides no other."""
    for row in zip_longest(*(tally.examples for tally in tallies)):
        yield from (example for example in row if example is not None)


def shown(verdicts: Sequence[Verdict], *, spared: Collection[str] = ()) -> bool:
    """Whether a run showed everything: each part of each invariant was checked, and holds. Files
    (I12) may be left out: the product has none in messages yet, and a stack may have no photos.
    `spared`: what else a run need not show, as `Verdict.lacking` names it."""
    return all(verdict.holds for verdict in verdicts) and not find_lacking(verdicts, spared=spared)


def find_lacking(verdicts: Sequence[Verdict], *, spared: Collection[str] = ()) -> list[str]:
    """What was not shown, of what had to be."""
    found = (name for verdict in verdicts for name in verdict.lacking)
    return [name for name in found if name not in (*ALWAYS_SPARED, *spared)]
