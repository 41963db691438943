"""Runs measures: contenders in turn, round after round, and again what was disturbed."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Sequence

from benchmarks.contenders import ejabberd
from benchmarks.contenders.roster import ROSTER
from benchmarks.ground import Ground
from benchmarks.machine import pinned
from benchmarks.serving import serving
from benchmarks.taking import Measure, Result, Series, Sizes, Taken

# A machine that is never quiet gives no figures at all, and says so.
TRIES = 4
Say = Callable[[str], object]


class Disturbed(Exception):
    """The machine did something else each time."""


def run_measure(
    measure: Measure, ground: Ground, sizes: Sizes, names: Sequence[str], say: Say
) -> Result:
    """One round of everybody, then the next: what slows the machine for a while slows them all."""
    series = {name: Series(name) for name in measure.contenders if name in names}
    if "ejabberd" in series and not ejabberd.is_installed():
        say(f"  {ejabberd.MISSING}")
        del series["ejabberd"]
    for round_number in range(1, sizes.rounds + 1):
        for one in series.values():
            taken = take_undisturbed(measure, ground, sizes, one)
            one.taken.append(taken)
            say(describe(measure, one.contender, round_number, taken))
    return Result(measure, series)


def take_undisturbed(measure: Measure, ground: Ground, sizes: Sizes, series: Series) -> Taken:
    for _ in range(TRIES):
        taken = take(measure, ground, sizes, series.contender)
        if not taken.usage.is_disturbed:
            return taken
        series.disturbed += 1
    raise Disturbed(f"{measure.name} of {series.contender}: something else runs on this machine.")


def take(measure: Measure, ground: Ground, sizes: Sizes, name: str) -> Taken:
    with serving(ROSTER[name], ground) as running, pinned(ground.cores.others):
        gc.collect()
        gc.freeze()
        try:
            return asyncio.run(as_coroutine(measure.take(running, sizes)))
        finally:
            gc.unfreeze()


async def as_coroutine(taking: Awaitable[Taken]) -> Taken:
    return await taking


def describe(measure: Measure, name: str, round_number: int, taken: Taken) -> str:
    shown = ", ".join(
        f"{figure.title} {figure.form.format(taken.figures[figure.name])}"
        for figure in measure.figures
        if figure.name in taken.figures
    )
    mistakes = "".join(f"  {kind}: {count}!" for kind, count in taken.mistakes.items() if count)
    return f"  {measure.name:10} {round_number}  {name:16} {shown}{mistakes}"
