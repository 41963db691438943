"""`bin/faults planted`: the checker is checked. Bugs are planted in the real processes, one after
the other, each for a short campaign, and the checker has to catch every one; without a bug it has
to let everything pass."""

import argparse
import asyncio
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.faults import planted
from tests.faults.arguments import REPORTS, Options
from tests.faults.campaign import Campaign
from tests.faults.checker import Verdict, judge
from tests.faults.clients.crowd import Crowd
from tests.faults.clients.operations import WEIGHTS
from tests.faults.final_state import FinalState, read_final_state
from tests.faults.history import History
from tests.faults.planted import Bug
from tests.faults.schedule import Phase
from tests.faults.servers import programs
from tests.faults.servers.cast import Cast
from tests.faults.servers.quiet import wait_for_mails
from tests.faults.servers.stack import Stack
from tests.services.places import make_run_directory, remove_run_directory

PEOPLE, LISTINGS, CONVERSATIONS, RATE = 30, 30, 40, 25.0
EMPTY = "TRUNCATE messaging_conversation, messaging_block, notifications_notification CASCADE"
CONVERGENCE_SECONDS = 10.0
# A busy machine gets more time, so that there is something to be judged.
LEAST_ACKNOWLEDGED, MOST_SECONDS = 150, 60.0
OFTEN = 25.0  # In shares of `operations.WEIGHTS`, where sending has 40.
CONTROL = "no bug"
TRIES = 2


@dataclass
class Row:
    """A bug and what became of it."""

    name: str
    what: str
    wanted: tuple[str, ...]
    broken: list[str] = field(default_factory=list)
    example: str = ""
    why_not: str = ""
    tries: int = 0
    unchecked: list[str] = field(default_factory=list)

    @property
    def as_wanted(self) -> bool:
        if self.why_not:
            return False
        return bool(set(self.broken) & set(self.wanted)) if self.wanted else not self.broken

    @property
    def word(self) -> str:
        if not self.wanted:
            return "holds" if self.as_wanted else "BROKEN"
        return "caught" if self.as_wanted else "MISSED"


class ShortCampaign(Campaign):
    """On a stack that runs already and is filled, with what it takes for a bug to show."""

    def __init__(self, bench: "Bench", history: History, options: Options, waits: float) -> None:
        super().__init__(bench.stack, history, options)
        self.bench, self.waits = bench, waits

    def open(self) -> None:
        self.crowd = Crowd(
            self.history, self.stack.web_urls, seed=str(self.options.seed), rate=self.options.rate
        )
        cast = self.bench.cast
        self.crowd.start(
            cast.people, cast.listings, self.stack.sessions.open, conversations=CONVERSATIONS
        )

    async def hurt(self, phase: Phase) -> None:
        await super().hurt(phase)
        until = time.monotonic() + MOST_SECONDS
        while time.monotonic() < until:
            if self.history.counts.get(("send", "ok"), 0) >= LEAST_ACKNOWLEDGED:
                return
            await asyncio.sleep(0.5)

    def come_to_rest(self) -> FinalState:
        """What everybody has is written down first. Then they go, and mails leave for them."""
        assert self.crowd is not None
        self.crowd.converge(CONVERGENCE_SECONDS)
        self.see_phase("leaving", 0)
        self.crowd.leave()
        if self.waits:
            url = self.stack.direct_database_url
            asyncio.run(wait_for_mails(url, seconds=self.waits))
        self.history.see("campaign", "phase", name="end", nemesis=0)
        return read_final_state(self.stack, began=self.history.began, now=self.history.now())

    def close(self) -> None:
        super().close()
        self.crowd = None


class Bench:
    """A stack for one bug after the other: services, people and listings stay."""

    def __init__(self, seed: int) -> None:
        self.directory = make_run_directory()
        self.stack = Stack(
            self.directory,
            seed,
            application="tests.faults.planted.web:application",
            celery="tests.faults.planted.work",
        )

    def start(self) -> None:
        self.stack.start()
        self.cast: Cast = self.stack.fill(people=PEOPLE, listings=LISTINGS)

    def stop(self) -> None:
        self.stack.stop()
        remove_run_directory(self.directory)

    def plant(self, bug: Bug) -> None:
        """New processes with this bug, where nobody has written anything yet."""
        for name in programs.PROGRAMS:
            self.stack.kill(name)
        with psycopg.connect(self.stack.direct_database_url) as connection:
            connection.execute(EMPTY)
        self.stack.mails.kept.clear()
        self.stack.mails.refusals.clear()
        self.stack.environment[planted.NAME] = bug.name
        asyncio.run(self.stack.heal())


def main(arguments: list[str]) -> int:
    planted.load()
    options = parse(arguments)
    options.report.mkdir(parents=True, exist_ok=True)
    wanted = options.bugs.split(",") if options.bugs else list(planted.BUGS)
    bench = Bench(options.seed)
    try:
        bench.start()
        chosen = [planted.BUGS[name] for name in wanted]
        rows = [try_control(bench, nemesis, options) for nemesis in find_nemeses(chosen)]
        rows += [try_bug(bench, bug, options) for bug in chosen]
    finally:
        bench.stop()
    text = write_table(rows)
    (options.report / "planted.txt").write_text(text, encoding="utf-8")
    print(text)
    return 0 if all(row.as_wanted for row in rows) else 1


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/faults planted", description=__doc__)
    names = ", ".join(planted.BUGS)
    parser.add_argument("--bugs", help=f"names with commas between; without it all of: {names}")
    parser.add_argument("--seconds", type=float, default=12.0, help="of each campaign: 12")
    parser.add_argument("--seed", type=int, default=1, help="1")
    parser.add_argument("--report", type=Path, default=REPORTS / "planted", help="a folder")
    given = parser.parse_args(arguments)
    unknown = set(given.bugs.split(",") if given.bugs else ()) - planted.BUGS.keys()
    if unknown:
        parser.error(f"there is no bug {sorted(unknown)[0]}")
    return given


def find_nemeses(bugs: Sequence[Bug]) -> list[int]:
    """Without a bug everything has to hold under each of those under which one has to be caught."""
    return sorted({0, *(bug.nemesis for bug in bugs)})


def try_control(bench: Bench, nemesis: int, options: argparse.Namespace) -> Row:
    """Once: what has to hold holds at the first try."""
    row = Row(f"{CONTROL}, nemesis {nemesis}", f"nothing, under nemesis {nemesis}", ())
    waits = max(each.waits for each in planted.BUGS.values())
    bugs = [each for each in planted.BUGS.values() if each.nemesis == nemesis]
    seconds = max((each.seconds for each in bugs), default=0.0)
    control = Bug("", row.what, (), lambda: None, (), nemesis, waits, seconds)
    return try_again(row, bench, control, options, most=1)


def try_bug(bench: Bench, bug: Bug, options: argparse.Namespace) -> Row:
    """Twice if need be: a bug that shows by chance may not show in a few seconds, and a machine
    may be too busy to start everything. The table says how many tries it took."""
    row = Row(bug.name, bug.what, bug.invariants)
    return try_again(row, bench, bug, options, most=TRIES)


def try_again(row: Row, bench: Bench, bug: Bug, options: argparse.Namespace, *, most: int) -> Row:
    for attempt in range(most):
        row.tries += 1
        began = time.monotonic()
        try:
            with doing_often(bug.often):
                verdicts = run(bench, bug, options, seed=options.seed + attempt)
            fill_row(row, verdicts)
        except Exception as error:
            traceback.print_exc()
            row.why_not = f"the campaign could not be run: {type(error).__name__}: {error}"
        took = time.monotonic() - began
        told = f"{row.word:<8}{row.name:<26}{row.broken} {took:.0f} s  {row.example}"
        print(told, file=sys.stderr, flush=True)
        if row.as_wanted:
            break
    return row


def fill_row(row: Row, verdicts: Sequence[Verdict]) -> None:
    row.why_not = ""
    row.unchecked = [v.invariant for v in verdicts if not v.checked]
    row.unchecked += [f"{v.invariant} {part}" for v in verdicts for part in v.unchecked]
    row.broken = [verdict.invariant for verdict in verdicts if not verdict.holds]
    found = [v for v in verdicts if not v.holds and (v.invariant in row.wanted or not row.wanted)]
    row.example = found[0].examples[0] if found else ""


def run(bench: Bench, bug: Bug, options: argparse.Namespace, *, seed: int) -> list[Verdict]:
    bench.plant(bug)
    history = History(options.report / f"{bug.name or f'control-{bug.nemesis}'}.jsonl")
    told = Options(0.0, seed, (), options.seconds, RATE, options.report)
    campaign = ShortCampaign(bench, history, told, bug.waits)
    try:
        campaign.open()
        phase = Phase(bug.nemesis, max(options.seconds, bug.seconds), 1)
        asyncio.run(campaign.go_through([phase]))
        final = campaign.come_to_rest()
    finally:
        campaign.close()
        history.close()
    # So few sends in so short a time say nothing about speed.
    return judge(history.path, final, control_p99=None, is_busy=True)


@contextmanager
def doing_often(names: tuple[str, ...]) -> Iterator[None]:
    """These operations are done about as often as messages are sent."""
    kept = dict(WEIGHTS)
    WEIGHTS.update({operation: OFTEN for operation in kept if operation.__name__ in names})
    try:
        yield
    finally:
        WEIGHTS.update(kept)


def write_table(rows: Sequence[Row]) -> str:
    bugs = [row for row in rows if row.wanted]
    caught = sum(row.as_wanted for row in bugs)
    at_once = sum(row.as_wanted and row.tries == 1 for row in bugs)
    held = sum(row.as_wanted for row in rows if not row.wanted)
    lines = [
        f"{caught} of {len(bugs)} planted bugs were caught, {at_once} of them at the first try;"
        f" without a bug everything held {held} of {len(rows) - len(bugs)} times",
        "",
    ]
    for row in rows:
        wanted = " or ".join(row.wanted) or "–"
        broken = ", ".join(row.broken) or "nothing broken"
        lines.append(f"{row.word:<8}{row.what}")
        lines.append(f"        by {wanted}; broken: {broken}; tries: {row.tries}")
        if row.unchecked and not row.wanted:
            lines.append(f"        not checked: {', '.join(row.unchecked)}")
        if row.example or row.why_not:
            lines.append(f"        {row.why_not or row.example}")
    return "\n".join(lines) + "\n"
