"""What a report says of each nemesis, and of how a campaign ended."""

from typing import Any

from tests.faults.nemeses import NEMESES
from tests.faults.reports.numbers import Numbers, Under

NEMESIS_COLUMNS = (
    *("nemesis", "seconds", "acknowledged", "unanswered", "refused", "faults", "no effect"),
    *("not done", "by kind"),
)


def name_nemesis(number: int) -> str:
    known = NEMESES.get(number)
    return f"{number} {known.name if known else ''}".strip()


def list_nemeses(numbers: Numbers) -> list[tuple[str, ...]]:
    """A row for each that there was, after `NEMESIS_COLUMNS`. 0 is the time without faults."""
    return [
        describe_nemesis(number, under)
        for number, under in sorted(numbers.under.items())
        if under.seconds or under.sends or under.faults
    ]


def describe_nemesis(number: int, under: Under) -> tuple[str, ...]:
    kinds = ", ".join(
        f"{name.replace('_', ' ')} {count}" for name, count in sorted(under.faults.items())
    )
    if under.swallowed:
        kinds += f" ({under.swallowed} replies swallowed)"
    counts = (under.sends["ok"], under.sends["unknown"], under.sends["fail"])
    faults = (sum(under.faults.values()), under.without_effect, under.failed)
    told = (f"{count:,}" for count in (*counts, *faults))
    return (name_nemesis(number), f"{under.seconds:.0f}", *told, kinds)


def list_failures(outcome: dict[str, Any]) -> list[str]:
    """What makes a run a failure although nothing that was compared is broken."""
    found = [f"{who} was behind at the end" for who in outcome.get("behind", ())]
    found += [f"nothing was acknowledged in {phase}" for phase in outcome.get("silent", ())]
    found += [f"nemesis {number} was skipped" for number, _ in outcome.get("skipped", ())]
    if outcome.get("everybody_mailed") is False:
        found.append("not everybody was mailed")
    return found + [str(crash) for crash in outcome.get("crashes", ())]
