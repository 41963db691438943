"""A campaign from the start of the stack to the verdicts."""

import asyncio
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from tests.faults.arguments import Options, parse
from tests.faults.circumstances import describe_run
from tests.faults.clients.convergence import Convergence
from tests.faults.clients.crowd import Crowd
from tests.faults.history import History
from tests.faults.nemeses import NEMESES
from tests.faults.schedule import Phase, plan, seconds_of
from tests.faults.servers.quiet import LastMails, count_connections, see_last_mails_off
from tests.faults.servers.stack import Stack
from tests.services.places import make_run_directory, remove_run_directory

if TYPE_CHECKING:
    from tests.faults.final_state import FinalState

CONVERGENCE_SECONDS = 40.0
MAIL_SECONDS = 130.0
SECONDS_TO_COME = 60.0
SHARE_TO_END_ACCOUNTS = 0.7
# The share of posts that are sent several times: always some, many when that is the nemesis.
FEW_DOUBLED, MANY_DOUBLED = 0.02, 0.3
DOUBLING_NEMESES = (14, 15)


@dataclass
class Outcome:
    """What a campaign leaves behind. `silent`: the phases, each with the healing after it, in which
    nobody was told that a message is stored. `skipped`: nemeses that the machine cannot have."""

    history: Path
    final: "FinalState"
    convergence: Convergence
    everybody_mailed: bool
    kills: dict[str, int]
    crashes: list[str]
    counts: dict[tuple[str, str], int]
    phases: list[Phase]
    silent: list[str]
    skipped: list[tuple[int, str]]
    effects: dict[str, int]  # Faults that met something, by kind.
    brought_forward: int  # Mails that were put off for long, and were not waited for.

    def list_failures(self) -> list[str]:
        """What makes a campaign fail whatever the verdicts say."""
        failures = [f"Behind at the end: {who}" for who in self.convergence.behind]
        failures += [f"Crashed: {crash}" for crash in self.crashes]
        failures += [f"Nothing was acknowledged in: {phase}" for phase in self.silent]
        failures += [f"Nemesis {number} was skipped: {why}" for number, why in self.skipped]
        if not self.everybody_mailed:
            failures.append("Somebody is still owed a mail.")
        return failures


def main(arguments: list[str]) -> int:
    from tests.faults.checker import judge, shown
    from tests.faults.reports.numbers import Numbers
    from tests.faults.reports.report import write_report

    options = parse(arguments, all_nemeses=sorted(NEMESES))
    options.report.mkdir(parents=True, exist_ok=True)
    phases = plan(options.nemeses, minutes=options.minutes, seconds_each=options.seconds_each)
    print(f"{len(phases)} phases, {seconds_of(phases) / 60:.1f} minutes, seed {options.seed}")
    directory = make_run_directory()
    try:
        outcome = run(directory, options, phases)
    finally:
        remove_run_directory(directory)
    numbers = Numbers()
    verdicts = judge(outcome.history, outcome.final, also=[numbers])
    write_report(options.report, outcome, verdicts, numbers=numbers)
    print((options.report / "report.txt").read_text(encoding="utf-8"))
    failures = [*outcome.list_failures(), *numbers.effects.list_idle()]
    if not shown(verdicts):
        failures.append("Not every promise was shown to hold.")
    print("\n".join(failures))
    return 1 if failures else 0


def run(directory: Path, options: Options, phases: Sequence[Phase], **stack: Any) -> Outcome:
    """Needs nothing but an empty directory. The history goes into the report's folder."""
    history = History(options.report / "history.jsonl")
    running = Stack(directory, options.seed, **stack)
    campaign = Campaign(running, history, options)
    try:
        running.start()
        campaign.open()
        campaign.end_accounts(seconds_of(phases) * SHARE_TO_END_ACCOUNTS)
        asyncio.run(campaign.go_through(phases))
        return campaign.end(phases)
    finally:
        campaign.close()
        running.stop()
        history.close()
        keep_logs(directory, options.report / "logs")


def keep_logs(directory: Path, target: Path) -> None:
    """What the processes wrote: nothing that is judged, but what a violation may be about."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for log in directory.glob("**/*.log"):
        shutil.copy(log, target / log.name)


class Campaign:
    """Everything of it that happens in the main thread: what starts processes must be there."""

    def __init__(self, stack: Stack, history: History, options: Options) -> None:
        self.stack, self.history, self.options = stack, history, options
        self.crowd: Crowd | None = None
        self.is_warm = False
        self.healed: float | None = None
        self.silent: list[str] = []

    def open(self) -> None:
        passing = self.options.passing
        cast = self.stack.fill(people=self.options.people + passing)
        crowd = Crowd(
            self.history, self.stack.web_urls, seed=str(self.options.seed), rate=self.options.rate
        )
        self.crowd = crowd
        crowd.start(
            cast.people,
            cast.listings,
            self.stack.sessions.open,
            conversations=self.options.conversations,
            passing_through=passing,
        )
        crowd.scene.change_participants = self.stack.change_participants
        crowd.wait_until_here(SECONDS_TO_COME)

    def end_accounts(self, seconds: float) -> None:
        """Within so many seconds from now, while everything else goes on."""
        assert self.crowd is not None
        self.crowd.end_accounts(self.stack.change_account, seconds)

    async def go_through(self, phases: Sequence[Phase]) -> None:
        for number, phase in enumerate(phases, start=1):
            before = self.count_acknowledged()
            await self.hurt(phase)
            if phase.nemesis:
                await self.heal(phase)
            if self.count_acknowledged() == before:
                self.silent.append(phase.name)
            self.tell(f"{number}/{len(phases)} {phase.name}")
        self.see_phase("final", 0)
        await self.stack.heal()
        self.healed = time.monotonic()

    def count_acknowledged(self) -> int:
        return self.history.counts.get(("send", "ok"), 0)

    async def hurt(self, phase: Phase) -> None:
        assert self.crowd is not None
        self.see_phase(phase.name, phase.nemesis)
        doubled = MANY_DOUBLED if phase.nemesis in DOUBLING_NEMESES else FEW_DOUBLED
        self.crowd.double(doubled)
        until = time.monotonic() + phase.seconds
        random = Random(f"{self.options.seed} {phase.round} {phase.nemesis}")
        if phase.nemesis:
            await NEMESES[phase.nemesis].run(self.stack, random, until, self.history)
        await asyncio.sleep(max(0.0, until - time.monotonic()))
        self.crowd.check()

    async def heal(self, phase: Phase) -> None:
        self.see_phase("healing", 0)
        began = time.monotonic()
        await self.stack.heal()
        await asyncio.sleep(max(0.0, began + phase.healing - time.monotonic()))

    def see_phase(self, name: str, nemesis: int) -> None:
        """With what everything costs at that moment, from the second phase on: what it costs before
        anybody has come is nothing to compare with."""
        self.history.see("campaign", "phase", name=name, nemesis=nemesis)
        if self.is_warm:
            self.see_resources(hurt=name == "healing")
        self.is_warm = True

    def see_resources(self, *, hurt: bool) -> None:
        resources: dict[str, Any] = {
            "memory": self.stack.memory(),
            "peak": self.stack.peak(),
            "descriptors": self.stack.descriptors(),
        }
        if not hurt:
            resources["connections"] = count_connections(self.stack.direct_database_url)
        self.history.see("campaign", "resources", **resources)

    def tell(self, what: str) -> None:
        counts = self.history.counts
        faults = sum(self.stack.effects.values())
        print(
            f"{self.history.now():7.0f} s  {what:<22} acknowledged {self.count_acknowledged()},"
            f" faults {faults}, unknown {counts.get(('send', 'unknown'), 0)}",
            flush=True,
        )

    def end(self, phases: Sequence[Phase]) -> Outcome:
        from tests.faults.final_state import read_final_state

        assert self.crowd is not None
        convergence = self.crowd.converge(CONVERGENCE_SECONDS, healed=self.healed)
        self.see_phase("leaving", 0)  # What it costs with everybody there, for the last time.
        self.crowd.leave()  # Whoever is connected gets no mail.
        last = self.wait_for_mails()
        final = read_final_state(self.stack, began=self.history.began, now=self.history.now())
        final.put_off = last.put_off
        self.history.see("campaign", "phase", name="end", nemesis=0)
        self.stack.note_crashes()
        outcome = Outcome(
            history=self.history.path,
            final=final,
            convergence=convergence,
            everybody_mailed=last.all_left,
            kills=dict(self.stack.kills),
            crashes=list(self.stack.crashes),
            counts=dict(self.history.counts),
            phases=list(phases),
            silent=list(self.silent),
            skipped=sorted(self.stack.skipped.items()),
            effects=dict(self.stack.effects),
            brought_forward=last.brought_forward,
        )
        self.see_outcome(outcome)
        return outcome

    def wait_for_mails(self) -> LastMails:
        return see_last_mails_off(
            self.stack.direct_database_url,
            seconds=MAIL_SECONDS,
            clocks_were_wrong=self.stack.effects["clock"] > 0,
        )

    def see_outcome(self, outcome: Outcome) -> None:
        self.history.see(
            "campaign",
            "outcome",
            everybody_mailed=outcome.everybody_mailed,
            crashes=outcome.crashes,
            skipped=outcome.skipped,
            behind=outcome.convergence.behind,
            silent=outcome.silent,
            brought_forward=outcome.brought_forward,
            converged_after=round(outcome.convergence.seconds, 3),
            **describe_run(self.options, self.stack, database=outcome.final.server),
        )

    def close(self) -> None:
        if self.crowd is not None:
            self.crowd.stop()
