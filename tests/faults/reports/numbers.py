"""What a report counts and draws, taken from the same pass over the history as the verdicts."""

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.faults.checker.reading import Operation, Seen
from tests.faults.nemeses.effects import Effects
from tests.faults.reports.damage import MESSAGES, Damage

# Done, refused with a reason, and without an answer.
STATES = ("ok", "fail", "unknown")


@dataclass(frozen=True)
class Span:
    """A fault or a phase, in seconds of the run."""

    name: str
    began: float
    ended: float
    target: str = ""


@dataclass
class Under:
    """What went on under one nemesis, the healing after it included. `faults` are those that met
    something."""

    seconds: float = 0.0
    sends: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    without_effect: int = 0
    failed: int = 0
    swallowed: int = 0


class Numbers:
    """Listens like a check. Latencies are of acknowledged sends, in milliseconds, by second."""

    def __init__(self) -> None:
        self.damage, self.effects = Damage(), Effects()
        self.latencies: dict[int, array[float]] = {}
        self.operations: dict[int, Counter[str]] = {}
        self.sends: Counter[str] = Counter()
        self.kinds: Counter[tuple[str, str]] = Counter()
        self.refusals: Counter[str] = Counter()
        self.closes: Counter[int] = Counter()
        self.faults: list[Span] = []
        self.under: dict[int, Under] = {}  # By the number of the nemesis.
        self.skipped: dict[int, str] = {}
        self.outcome: dict[str, Any] = {}
        self.killed: Counter[str] = Counter()  # As far as the faults say so.
        self._nemesis = 0
        self._since = 0.0
        self.phases: list[Span] = []
        self.repeats = 0
        self.connected = 0
        self.resumed = 0
        self.handed_over = 0
        self.until = 0.0

    def ended_send(self, operation: Operation) -> None:
        self.sends[operation.state] += 1
        self.under.setdefault(self._nemesis, Under()).sends[operation.state] += 1
        self._count(operation)
        self.damage.take_answer(operation)
        if operation.state == "ok":
            self.repeats += bool(operation.answer.get("duplicate"))
            took = (operation.ended - operation.began) * 1000
            self.latencies.setdefault(int(operation.began), array("f")).append(took)
        elif operation.state == "fail":
            self.refusals[str(operation.answer.get("code", ""))] += 1

    ended_start = ended_send

    def _count(self, operation: Operation) -> None:
        second = int(operation.began)
        self.until = max(self.until, operation.began)
        self.operations.setdefault(second, Counter())[operation.state] += 1
        self.kinds[operation.kind, operation.state] += 1

    ended_pull = ended_list = ended_page = ended_read = ended_edit = ended_delete = _count
    ended_block = ended_unblock = ended_archive = ended_star = ended_mute = _count
    ended_log_out_all = ended_sign_in = ended_leave = _count
    ended_take_out = ended_put_in = _count
    ended_change_password = ended_deactivate = _count

    def ended_connect(self, operation: Operation) -> None:
        self._count(operation)
        if operation.state == "ok":
            self.connected += 1
            self.resumed += bool(operation.asked.get("after"))

    def saw_close(self, seen: Seen) -> None:
        self.closes[int(seen.value.get("code") or 0)] += 1
        self.damage.take_close(seen.value.get("connection", 0))

    def saw_frame(self, seen: Seen) -> None:
        self.handed_over += seen.value["type"] in MESSAGES
        self.damage.take_frame(seen.value)

    def saw_final(self, seen: Seen) -> None:
        self.damage.take_final(seen)

    def saw_phase(self, seen: Seen) -> None:
        self.effects.saw_phase(seen)
        if self.phases:
            before = self.phases[-1]
            self.phases[-1] = Span(before.name, before.began, seen.at)
        self.phases.append(Span(seen.value["name"], seen.at, seen.at))
        self.under.setdefault(self._nemesis, Under()).seconds += seen.at - self._since
        self._since = seen.at
        if seen.value["name"] != "healing":
            self._nemesis = int(seen.value.get("nemesis") or 0)

    def saw_skipped(self, seen: Seen) -> None:
        self.effects.saw_skipped(seen)
        self.skipped[int(seen.value["nemesis"])] = str(seen.value.get("why", ""))

    def saw_outcome(self, seen: Seen) -> None:
        self.outcome.update(seen.value)
        for nemesis, why in seen.value.get("skipped", ()):
            self.skipped[int(nemesis)] = str(why)

    def ended_fault(self, operation: Operation) -> None:
        """Only what met something is a fault."""
        self.effects.ended_fault(operation)
        ended = min(operation.ended, operation.began + 3600)
        asked, told = operation.asked, operation.answer
        under = self.under.setdefault(int(asked.get("nemesis", 0)), Under())
        under.swallowed += int(told.get("swallowed", 0))
        if operation.state == "fail":
            under.failed += 1
        elif has_no_effect(told):
            under.without_effect += 1
        else:
            under.faults[operation.kind] += 1
            target = str(asked.get("target", ""))
            if is_deadly(operation):
                self.killed[str(asked.get("part") or target.rstrip("0123456789"))] += 1
            self.faults.append(Span(operation.kind, operation.began, ended, target))

    # --- For the plots --------------------------------------------------------------------------

    def percentiles(self, points: int) -> list[list[tuple[float, float, float]]]:
        """(middle of a bucket in seconds, p50, p99) of at most so many buckets, in runs of those in
        which sends were acknowledged."""
        width = max(1, round(self.until / points))
        runs: list[list[tuple[float, float, float]]] = [[]]
        for start in range(0, int(self.until) + 1, width):
            values: array[float] = array("f")
            for second in range(start, start + width):
                values.extend(self.latencies.get(second, ()))
            if values:
                ordered = sorted(values)
                middle = start + width / 2
                runs[-1].append((middle, pick(ordered, 0.5), pick(ordered, 0.99)))
            elif runs[-1]:
                runs.append([])
        return [run for run in runs if run]

    def silences(self, points: int) -> list[tuple[float, float]]:
        """From when to when no send was acknowledged, by the same buckets."""
        width = max(1, round(self.until / points))
        found: list[tuple[float, float]] = []
        for start in range(0, int(self.until) + 1, width):
            if any(second in self.latencies for second in range(start, start + width)):
                continue
            if found and found[-1][1] == start:
                found[-1] = (found[-1][0], start + width)
            else:
                found.append((start, start + width))
        return found

    def rates(self, points: int) -> list[tuple[float, dict[str, float]]]:
        """(start of a bucket in seconds, operations a second by how they ended)."""
        width = max(1, round(self.until / points))
        found = []
        for start in range(0, int(self.until) + 1, width):
            total: Counter[str] = Counter()
            for second in range(start, start + width):
                total.update(self.operations.get(second, Counter()))
            found.append((start + width / 2, {state: total[state] / width for state in STATES}))
        return found

    def percentile_of_all(self, share: float) -> float:
        values: array[float] = array("f")
        for each in self.latencies.values():
            values.extend(each)
        return pick(sorted(values), share) if values else 0.0


def is_deadly(operation: Operation) -> bool:
    """Whether a process ended by it that was not asked to, or did not when it was."""
    told = operation.answer
    if operation.kind == "stop_politely":
        return told.get("in_time") is False
    return operation.kind == "kill" or bool(operation.kind == "failpoint" and told.get("reached"))


def has_no_effect(told: dict[str, Any]) -> bool:
    """Old histories say it in other words."""
    if "effect" in told:
        return bool(told["effect"] == 0)
    met: tuple[object, ...] = (told.get("connections"), told.get("reached"), told.get("killed"))
    return any(count is not None and not count for count in met)


def pick(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
