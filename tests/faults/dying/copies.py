"""A copy of one's own data: asked for on a page, and made by whoever finds that it was."""

from tests.faults.dying.operations import Operation, Order


class AsksForCopy(Operation):
    name = "ask for a copy"

    def prepare(self, label: str, times: int) -> None:
        pass

    def begin(self, number: int) -> Order:
        """As on another day: there is a limit, and one that is open is given once more."""
        self.facts.change("DELETE FROM privacy_dataexport")
        return "ask_for_copy", {"session": self.scene["buyer"]["session"]}

    def counts(self) -> list[int]:
        return [self.count_copies("")]

    def count_copies(self, more: str) -> int:
        statement = f"SELECT count(*) FROM privacy_dataexport WHERE user_id = %s {more}"
        return self.facts.count(statement, self.scene["buyer"]["id"])

    def judge_hit(self) -> list[str]:
        """No worker was told of the first request; what a sweep finds is enough."""
        self.stage.nursery.get("make_copies")
        return [] if self.count_copies("AND state = 'ready'") == 1 else ["nobody made the copy"]

    def judge_end(self) -> list[str]:
        return []
