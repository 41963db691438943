"""Whether each nemesis of a run met something: a fault that nobody felt shows nothing."""

from tests.faults.checker.reading import Operation, Seen

# What of all that a nemesis does meets something in any minute or two. What it does by chance only,
# or what depends on who happens to be connected, is not here.
DOES: dict[int, tuple[str, ...]] = {
    1: ("kill",),
    2: ("stop_politely",),
    3: ("kill", "pool child"),
    4: ("kill", "flush"),
    5: ("kill", "terminate_backends"),
    6: ("pause",),
    7: ("cut", "swallow", "client_kill"),
    8: ("blackhole",),
    9: ("never reads", "never stops"),
    10: ("mail_fault",),
    11: ("clock",),
    12: ("disk_full",),
    13: ("failpoint",),
    14: ("duplicates",),
}
# From so many seconds of a nemesis on, all that it does has met something.
ALL_SECONDS = 100.0
# In less time these may meet nothing by chance: nobody was mailed, or the line had no connections.
# All others meet something at once.
CHANCE_SECONDS = {8: 40.0, 9: 40.0, 10: 100.0, 11: 40.0, 12: 20.0, 13: 40.0, 15: 40.0}
# It cuts connections only so that people come to where something is waiting for them.
BESIDE = ((13, "cut"),)


class Effects:
    """Listens like a check. `seconds` of each nemesis, without the healing after it."""

    def __init__(self) -> None:
        self.seconds: dict[int, float] = {}
        self.met: dict[int, set[str]] = {}
        self.skipped: set[int] = set()
        self._nemesis, self._since = 0, 0.0

    def saw_phase(self, seen: Seen) -> None:
        before = self.seconds.get(self._nemesis, 0.0)
        self.seconds[self._nemesis] = before + seen.at - self._since
        self._nemesis, self._since = int(seen.value.get("nemesis") or 0), seen.at

    def saw_skipped(self, seen: Seen) -> None:
        self.skipped.add(int(seen.value["nemesis"]))

    def ended_fault(self, operation: Operation) -> None:
        """Old histories do not say of every fault whether it had an effect."""
        nemesis, has_met = int(operation.asked.get("nemesis", 0)), operation.answer.get("effect", 1)
        if has_met and operation.state == "ok" and (nemesis, operation.kind) not in BESIDE:
            self.met.setdefault(nemesis, set()).add(name_act(operation))

    def list_idle(self) -> list[str]:
        """What makes a run a failure: nemeses that were there and met nothing, or nothing by a part
        of what they do."""
        found = []
        for nemesis, seconds in sorted(self.seconds.items()):
            if not nemesis or nemesis in self.skipped:
                continue
            met = self.met.get(nemesis, set())
            missing = [act for act in DOES.get(nemesis, ()) if act not in met]
            if not met and seconds >= CHANCE_SECONDS.get(nemesis, 0.0):
                found.append(f"nemesis {nemesis} met nothing")
            elif missing and seconds >= ALL_SECONDS:
                acts = ", ".join(act.replace("_", " ") for act in missing)
                found.append(f"nemesis {nemesis} met nothing by: {acts}")
        return found


def name_act(operation: Operation) -> str:
    """Its kind, or what tells it from others of this kind."""
    asked = operation.asked
    how = asked.get("how") or asked.get("part") or ("away" if "away" in asked else "")
    return str(how or operation.kind)
